// @generated automatically by Diesel CLI.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    account_throttles (key) {
        key -> Text,
        user_id -> Nullable<Uuid>,
        failures -> Int4,
        last_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    alerts (id) {
        id -> Uuid,
        user_id -> Uuid,
        session_id -> Nullable<Uuid>,
        kind -> Text,
        email -> Text,
        device_name -> Text,
        device_kind -> Text,
        ip_address -> Nullable<Text>,
        location_city -> Nullable<Text>,
        location_country -> Nullable<Text>,
        at -> Timestamptz,
        answer -> Nullable<Text>,
        answered_at -> Nullable<Timestamptz>,
        summary_id -> Nullable<Uuid>,
        act -> Nullable<Text>,
        stated_reason -> Nullable<Text>,
        location_point -> Nullable<Text>,
        before_session_id -> Nullable<Uuid>,
        before_device -> Nullable<Text>,
        before_is_named -> Nullable<Bool>,
        before_city -> Nullable<Text>,
        before_country -> Nullable<Text>,
        before_point -> Nullable<Text>,
        before_at -> Nullable<Timestamptz>,
        before_km -> Nullable<Int4>,
        before_is_impossible -> Nullable<Bool>,
        settled_by -> Nullable<Uuid>,
        others_skipped_at -> Nullable<Timestamptz>,
        password_skipped_at -> Nullable<Timestamptz>,
        email_skipped_at -> Nullable<Timestamptz>,
        email_confirmed_at -> Nullable<Timestamptz>,
        device_label -> Nullable<Text>,
        confirmed_by -> Nullable<Uuid>,
        confirmed_by_link -> Bool,
        redaction_due -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    api_keys (id) {
        id -> Uuid,
        name -> Text,
        secret_hash -> Text,
        scopes -> Text,
        created_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        application_id -> Uuid,
        expires_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    applications (id) {
        id -> Uuid,
        name -> Text,
        uses_earlier -> Bool,
        created_at -> Timestamptz,
        kind -> Text,
        hosts -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    bulk_jobs (id) {
        id -> Uuid,
        created_at -> Timestamptz,
        by_user_id -> Nullable<Uuid>,
        by_session_id -> Nullable<Uuid>,
        by_application_id -> Nullable<Uuid>,
        by_ip -> Nullable<Text>,
        stated_reason -> Nullable<Text>,
        filter -> Nullable<Text>,
        listed -> Nullable<Text>,
        except_user_id -> Nullable<Uuid>,
        opened_until -> Timestamptz,
        state -> Text,
        total -> Int8,
        is_total_exact -> Bool,
        ended -> Int8,
        already_over -> Int8,
        failed -> Int8,
        position_at -> Nullable<Timestamptz>,
        position_id -> Nullable<Uuid>,
        started_at -> Nullable<Timestamptz>,
        updated_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
        errors -> Int4,
        last_error -> Nullable<Text>,
        stop_cause -> Nullable<Text>,
        ahead -> Nullable<Text>,
        order_id -> Nullable<Uuid>,
        by_key_id -> Nullable<Uuid>,
        stopped_by_user_id -> Nullable<Uuid>,
        stopped_by_application_id -> Nullable<Uuid>,
        stop_reason -> Nullable<Text>,
        unknown -> Int8,
        unmatched -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    count_deltas (id) {
        id -> Uuid,
        hour -> Int4,
        event -> Text,
        label -> Text,
        change -> Int2,
        device_kind -> Text,
        browser -> Text,
        os -> Text,
        country -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    devices (user_id, device_id) {
        user_id -> Uuid,
        device_id -> Text,
        name -> Nullable<Text>,
        first_seen_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        is_idle_exempt -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    email_verifications (id) {
        id -> Uuid,
        user_id -> Uuid,
        email -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    former_emails (id) {
        id -> Uuid,
        user_id -> Uuid,
        email -> Text,
        verified_at -> Nullable<Timestamptz>,
        changed_at -> Timestamptz,
        expires_at -> Timestamptz,
        state -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    hourly_counts (hour, metric, label) {
        hour -> Int4,
        metric -> Text,
        label -> Text,
        total -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    key_creations (id) {
        id -> Int4,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    live_counts (dimension, label) {
        dimension -> Text,
        label -> Text,
        total -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    live_people_counts (id) {
        id -> Int4,
        total -> Nullable<Int8>,
        counted_at -> Nullable<Timestamptz>,
        claimed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    mail_queue (id) {
        id -> Uuid,
        user_id -> Uuid,
        alert_id -> Nullable<Uuid>,
        recipient -> Text,
        state -> Text,
        attempts -> Int4,
        due_at -> Timestamptz,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        kind -> Text,
        subject_id -> Nullable<Uuid>,
        priority -> Int2,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    message_counts (id) {
        id -> Uuid,
        recipient -> Text,
        kind -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    nodes (id) {
        id -> Uuid,
        name -> Text,
        version -> Text,
        listen -> Text,
        started_at -> Timestamptz,
        seen_at -> Timestamptz,
        clock_offset_ms -> Int8,
        jobs -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    password_resets (id) {
        id -> Uuid,
        user_id -> Uuid,
        email -> Nullable<Text>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        is_invitation -> Bool,
        by_user_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    reset_requests (email) {
        email -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    session_applications (session_id, kind, name) {
        session_id -> Uuid,
        user_id -> Uuid,
        kind -> Text,
        name -> Text,
        last_used_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    session_events (id) {
        id -> Uuid,
        user_id -> Nullable<Uuid>,
        session_id -> Nullable<Uuid>,
        kind -> Text,
        detail -> Nullable<Text>,
        ip_address -> Nullable<Text>,
        by_user_id -> Nullable<Uuid>,
        by_session_id -> Nullable<Uuid>,
        at -> Timestamptz,
        by_application_id -> Nullable<Uuid>,
        job_id -> Nullable<Uuid>,
        stated_reason -> Nullable<Text>,
        ip_key -> Nullable<Text>,
        device -> Nullable<Text>,
        times -> Int4,
        last_at -> Nullable<Timestamptz>,
        repeat_key -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    session_keys (session_id) {
        session_id -> Uuid,
        user_id -> Uuid,
        public_key -> Bytea,
        registered_at -> Timestamptz,
        seen_at -> Nullable<Timestamptz>,
        proved_at -> Timestamptz,
        renewed_at -> Timestamptz,
        noted_at -> Nullable<Timestamptz>,
        alerted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    used_links (id) {
        id -> Uuid,
        act -> Text,
        used_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    user_sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        refresh_token_jti -> Text,
        device_name -> Nullable<Text>,
        device_id -> Nullable<Text>,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        is_active -> Bool,
        location_city -> Nullable<Text>,
        location_country -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        previous_jti -> Nullable<Text>,
        rotated_at -> Nullable<Timestamptz>,
        absolute_expires_at -> Timestamptz,
        is_remembered -> Bool,
        idle_seconds -> Int4,
        confirmed_at -> Timestamptz,
        opened_via -> Text,
        ended_at -> Nullable<Timestamptz>,
        ended_reason -> Nullable<Text>,
        ended_by -> Nullable<Uuid>,
        device_kind -> Text,
        browser -> Nullable<Text>,
        browser_version -> Nullable<Text>,
        os -> Nullable<Text>,
        os_version -> Nullable<Text>,
        brand -> Nullable<Text>,
        model -> Nullable<Text>,
        location_point -> Nullable<Text>,
        rotation_count -> Int4,
        recent_rotations -> Text,
        is_token_used -> Bool,
        sweep_at -> Timestamptz,
        last_used_bucket -> Int4,
        ip_key -> Nullable<Text>,
        application_id -> Nullable<Uuid>,
        sign_in_country -> Nullable<Text>,
        has_changed_country -> Bool,
        has_impossible_travel -> Bool,
        bound_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::sql::{Timestamptz, Uuid};

    users (id) {
        id -> Uuid,
        email -> Text,
        full_name -> Nullable<Text>,
        password_hash -> Text,
        is_active -> Bool,
        is_admin -> Bool,
        idle_limit_seconds -> Nullable<Int4>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        password_changed_at -> Timestamptz,
        external_subject -> Nullable<Text>,
        address_keeping -> Text,
        alert_emails -> Bool,
        stated_email -> Nullable<Text>,
        email_verified_at -> Nullable<Timestamptz>,
        is_email_from_before -> Bool,
        email_declined_at -> Nullable<Timestamptz>,
        password_links_void_before -> Nullable<Timestamptz>,
        application_id -> Nullable<Uuid>,
        is_auditor -> Bool,
        time_zone -> Nullable<Text>,
        browser_time_zone -> Nullable<Text>,
    }
}

diesel::joinable!(alerts -> users (user_id));
diesel::joinable!(api_keys -> applications (application_id));
diesel::joinable!(devices -> users (user_id));
diesel::joinable!(email_verifications -> users (user_id));
diesel::joinable!(former_emails -> users (user_id));
diesel::joinable!(mail_queue -> alerts (alert_id));
diesel::joinable!(mail_queue -> users (user_id));
diesel::joinable!(password_resets -> users (user_id));
diesel::joinable!(session_applications -> user_sessions (session_id));
diesel::joinable!(session_keys -> user_sessions (session_id));
diesel::joinable!(user_sessions -> users (user_id));
diesel::joinable!(users -> applications (application_id));

diesel::allow_tables_to_appear_in_same_query!(
    account_throttles,
    alerts,
    api_keys,
    applications,
    bulk_jobs,
    count_deltas,
    devices,
    email_verifications,
    former_emails,
    hourly_counts,
    key_creations,
    live_counts,
    live_people_counts,
    mail_queue,
    message_counts,
    nodes,
    password_resets,
    reset_requests,
    session_applications,
    session_events,
    session_keys,
    used_links,
    user_sessions,
    users,
);
