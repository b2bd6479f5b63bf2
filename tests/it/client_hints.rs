//! Client hints: they complete the facts that a frozen user agent lacks, and are untrusted input.

use serde_json::Value;

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: a_page_requests_hints,
    hints_at_sign_in_name_the_device,
    hints_name_a_device_that_signs_in_over_the_api,
    hostile_hints_change_nothing,
);

const CHROME_WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const CHROME_MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const CHROME_ANDROID: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";

async fn a_page_requests_hints(app: &TestApp) {
    let page = app.browser(FIREFOX).get("/sign-in").await.expect(200);
    let accept_ch = page.header("accept-ch");
    for hint in [
        "Full-Version-List",
        "Platform-Version",
        "Model",
        "Form-Factors",
    ] {
        assert!(
            accept_ch.contains(&format!("Sec-CH-UA-{hint}")),
            "{accept_ch}"
        );
    }
}

/// Signs in over the API with these headers, and returns the session in the response.
async fn log_in_with(app: &TestApp, agent: &str, hints: &[(&str, &str)]) -> Value {
    let ada = match app.try_login(&ada(), agent).await.status {
        200 => ada(),
        _ => app.register("ada@example.org").await,
    };
    let body = json!({"email": ada.email, "password": ada.password});
    let mut request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header("user-agent", agent);
    for (name, value) in hints {
        request = request.header(*name, *value);
    }
    let response = TestResponse::to(request.json(&body)).await.expect(200);
    response.json()["session"].clone()
}

fn ada() -> Person {
    Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    }
}

async fn hints_at_sign_in_name_the_device(app: &TestApp) {
    let session = log_in_with(
        app,
        CHROME_WINDOWS,
        &[
            ("sec-ch-ua-platform", "\"Windows\""),
            ("sec-ch-ua-platform-version", "\"15.0.0\""),
            (
                "sec-ch-ua-full-version-list",
                "\"Chromium\";v=\"142.0.1\", \"Vivaldi\";v=\"7.1.2\", \"Not?A_Brand\";v=\"99\"",
            ),
        ],
    )
    .await;
    assert_eq!(session["device_name"], "Vivaldi on Windows 11");
    assert_eq!(session["os"], "Windows");
}

async fn hints_name_a_device_that_signs_in_over_the_api(app: &TestApp) {
    let session = log_in_with(
        app,
        CHROME_ANDROID,
        &[
            ("sec-ch-ua-platform", "\"Android\""),
            ("sec-ch-ua-platform-version", "\"16.0.0\""),
            ("sec-ch-ua-model", "\"SM-X710\""),
            ("sec-ch-ua-form-factors", "\"Tablet\""),
        ],
    )
    .await;
    assert_eq!(session["device_name"], "Chrome on Galaxy Tab S9");
    assert_eq!(session["device_kind"], "tablet");
}

async fn hostile_hints_change_nothing(app: &TestApp) {
    let long = format!("\"{}\"", "x".repeat(5_000));
    let plain = log_in_with(app, CHROME_ANDROID, &[]).await;
    for value in [
        "\"unclosed",
        "(\"a\" \"b\")",
        "?1",
        "1e9",
        "",
        "\"\"",
        "\";);(Linux\"",
        long.as_str(),
    ] {
        let hints = [
            "sec-ch-ua",
            "sec-ch-ua-full-version-list",
            "sec-ch-ua-platform-version",
            "sec-ch-ua-form-factors",
            "sec-ch-ua-platform",
        ]
        .map(|name| (name, value));
        let session = log_in_with(app, CHROME_ANDROID, &hints).await;
        assert_eq!(session["device_name"], plain["device_name"], "{value:?}");
        assert_eq!(session["device_kind"], plain["device_kind"], "{value:?}");
    }
    let model = [
        ("sec-ch-ua-platform", "\"Android\""),
        ("sec-ch-ua-model", "\"<script>) Windows NT 10.0; (\""),
    ];
    let session = log_in_with(app, CHROME_ANDROID, &model).await;
    assert_eq!(session["os"], "Android");
    let name = session["device_name"].as_str().expect("a name");
    assert!(!name.contains(['<', '(', ';']), "{name}");
}

/// Returns what `rollcall device parse` prints for these lines.
fn parse(lines: &[String]) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::in_folder(folder.path());
    let output = program.run_with_input(&["device", "parse"], &lines.join("\n"));
    let output = output.expect_done();
    output
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect()
}

#[test]
fn the_command_reads_one_agent_per_line() {
    let lines = [
        FIREFOX.to_owned(),
        "curl/8.14.1".into(),
        String::new(),
        "{not json".into(),
    ];
    let results = parse(&lines);
    assert_eq!(
        results[0],
        json!({
            "browser": "Firefox", "browser_version": "140", "os": "Windows", "os_version": "10",
            "kind": "desktop", "brand": null, "model": null, "name": "Firefox on Windows",
        })
    );
    assert_eq!(results[1]["kind"], "program");
    assert_eq!(results[2]["name"], "Unrecognised browser");
    assert_eq!(results.len(), lines.len());
}

#[test]
fn the_command_reads_hints_in_each_spelling() {
    let lines = [
        json!({"user_agent": CHROME_WINDOWS, "hints": {
            "Sec-CH-UA-Platform": "\"Windows\"", "Sec-CH-UA-Platform-Version": "\"13.0.0\"",
        }}),
        json!({"ua": CHROME_WINDOWS, "platform": "Windows", "platformVersion": "10.0.0"}),
        json!({"ua": CHROME_WINDOWS, "platform": "Windows", "platform_version": "0.3.0"}),
        json!({"ua": CHROME_MAC, "platform": "macOS", "platformVersion": "15.5.0"}),
        json!({"ua": CHROME_MAC, "fullVersionList": [
            {"brand": "Not)A;Brand", "version": "8.0.0.0"},
            {"brand": "Chromium", "version": "142.0.0.0"},
            {"brand": "Brave", "version": "142.0.0.0"},
        ]}),
        json!({"ua": CHROME_ANDROID, "platform": "Android", "model": "Pixel 9", "mobile": true,
               "platformVersion": "15.0.0"}),
        json!({"ua": CHROME_ANDROID, "platform": "Android", "mobile": false}),
        // Only browsers based on Chromium send hints: these don't count.
        json!({"ua": FIREFOX, "platform": "Windows", "platformVersion": "15.0.0"}),
    ];
    let results = parse(&lines.map(|line| line.to_string()));
    let names: Vec<_> = results.iter().map(|result| &result["name"]).collect();
    assert_eq!(
        names,
        [
            "Chrome on Windows 11",
            "Chrome on Windows",
            "Chrome on Windows",
            "Chrome on macOS",
            "Brave on macOS",
            "Chrome on Pixel 9",
            "Chrome on Android",
            "Firefox on Windows",
        ]
    );
    let versions: Vec<_> = results
        .iter()
        .map(|result| result["os_version"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(versions, ["11", "10", "8.1", "15.5", "", "15", "", "10"]);
    assert_eq!(results[5]["kind"], "phone");
    assert_eq!(results[6]["kind"], "tablet");
}

#[test]
fn the_error_of_unusable_patterns_has_its_cause_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::in_folder(folder.path()).env("ROLLCALL_DEVICE_PATTERNS", "/nonexistent");
    let ended = program.run_with_input(&["device", "parse"], FIREFOX);
    assert_eq!(ended.status, 1);
    let causes = ended.stderr.matches("No such file or directory").count();
    assert_eq!(causes, 1, "{}", ended.stderr);
}
