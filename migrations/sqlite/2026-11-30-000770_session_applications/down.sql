DROP TABLE session_applications;
