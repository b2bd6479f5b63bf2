//! Every route × every caller. For each method of each path, [`tables`] has a request that is good, and
//! [`policy`] who may send it: whoever may succeeds with it, so that whoever may not is refused for who
//! they are. A refusal changes nothing, and to whom something does not exist, it is as an id that nobody
//! has.

mod callers;
mod cast;
mod policy;
mod rows;
mod sending;
mod state;
mod tables;
mod targets;
mod world;

use std::collections::BTreeSet;

use rollcall::server::routes::{API, PAGES};
use rollcall::settings::{MailTls, Settings};

use self::callers::{By, Caller, Key, Step, Who};
use self::policy::{Outcome, Policy, outcome};
use self::rows::{Effect, Row, Target};
use self::sending::{are_alike, described, is_as_expected, send};
use self::state::id_in_row;
use self::tables::{Group, rows};
use self::targets::{Made, customer, make};
use self::world::{Credential, World};
use crate::support::browser::APPLICATION;
use crate::support::prelude::*;

on_both!(
    database: anybody_has_what_is_public_or_has_its_link,
    forward_auth_lets_in_whom_it_should,
    an_application_has_its_own_people_and_tokens,
    a_program_has_what_its_person_owns,
    a_browser_has_what_its_person_owns,
    the_api_of_administrators_is_for_them,
    the_pages_of_administrators_are_for_them,
    who_has_the_link_for_it_becomes_the_first_administrator,
);

#[test]
fn every_route_has_its_row_and_every_row_its_route() {
    let routes: BTreeSet<String> = API
        .iter()
        .chain(PAGES)
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let mut found = BTreeSet::new();
    for row in tables::all().into_iter().flat_map(rows) {
        assert!(found.insert(row.name()), "{} has two rows", row.name());
    }
    let without_row: Vec<_> = routes.difference(&found).collect();
    assert!(
        without_row.is_empty(),
        "routes without a row: {without_row:#?}"
    );
    let without_route: Vec<_> = found.difference(&routes).collect();
    assert!(
        without_route.is_empty(),
        "rows without a route: {without_route:#?}"
    );
}

#[test]
fn the_route_table_names_the_access_that_is_tested() {
    let access_of = |row: &Row| {
        let mut routes = API.iter().chain(PAGES);
        let route = routes.find(|route| route.path == row.path && route.method == row.method);
        route.map(|route| route.access)
    };
    let others: Vec<String> = tables::all()
        .into_iter()
        .flat_map(rows)
        .filter(|row| access_of(row) != Some(row.policy.access()))
        .map(|row| {
            format!(
                "{}: {:?}, not {:?}",
                row.name(),
                access_of(&row),
                row.policy
            )
        })
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}

async fn anybody_has_what_is_public_or_has_its_link(database: Database) {
    check(database, tables::PUBLIC).await;
}

async fn forward_auth_lets_in_whom_it_should(database: Database) {
    check(database, tables::FORWARD_AUTH).await;
}

async fn an_application_has_its_own_people_and_tokens(database: Database) {
    check(database, tables::APPLICATIONS).await;
}

async fn a_program_has_what_its_person_owns(database: Database) {
    check(database, tables::OWN_API).await;
}

async fn a_browser_has_what_its_person_owns(database: Database) {
    check(database, tables::OWN_PAGES).await;
}

async fn the_api_of_administrators_is_for_them(database: Database) {
    check(database, tables::ADMIN_API).await;
}

async fn the_pages_of_administrators_are_for_them(database: Database) {
    check(database, tables::ADMIN_PAGES).await;
}

/// The link exists while there is no administrator; whoever else is there may use it.
async fn who_has_the_link_for_it_becomes_the_first_administrator(database: Database) {
    let app = start(database).await;
    let token = app.setup_token().await;
    let made = Made::default()
        .with("{token}", token)
        .with("{new}", "first");
    let forged = Made::default().with("{token}", "forged");
    let world = World::start(&app, 0).await;
    app.database.execute("UPDATE users SET is_admin = false");
    let nobody = world.credential(Caller::Nobody, false);
    let without = Credential {
        public_csrf: String::new(),
        ..nobody.clone()
    };
    for row in rows(tables::SETUP) {
        let before = world.state.read(&app.database);
        for made in [&forged, &made] {
            if row.changes() {
                send(&world, &row, made, &without).await.expect(403);
            }
        }
        send(&world, &row, &forged, &nobody).await.expect(404);
        assert_eq!(world.state.read(&app.database), before, "{}", row.name());
        let response = send(&world, &row, &made, &nobody).await;
        assert!(
            row.done.contains(&response.status),
            "{}: {}",
            row.name(),
            response.status
        );
    }
    let admins = "SELECT count(*) AS value FROM users WHERE is_admin";
    assert_eq!(app.database.number(admins), 1);
    let made = Made::default()
        .with("{token}", made.value("{token}"))
        .with("{new}", "second");
    for row in rows(tables::SETUP) {
        let again = send(&world, &row, &made, &nobody).await;
        assert_eq!(again.status, 404, "{}", row.name());
    }
    app.stop().await;
}

async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, |settings: &mut Settings| {
        settings.forward_auth.allowed_hosts = vec![APPLICATION.into()];
        // It is never sent: the server isn't there.
        settings.mail.host = Some("127.0.0.1".into());
        settings.mail.port = Some(9);
        settings.mail.tls = MailTls::None;
        settings.mail.from = "Rollcall <rollcall@example.org>".into();
        settings.jobs.mail_interval = Duration::from_secs(24 * 60 * 60);
    })
    .await
}

/// Sends the request of each row by each caller.
async fn check(database: Database, table: &'static [Group]) {
    let app = start(database).await;
    let is_stale = |caller: &Caller| matches!(caller, Caller::Person(_, Step::Stale, By::Token));
    let used_up = rows(table)
        .filter(|row| row.policy.is_own() && row.changes())
        .map(|row| {
            let all = Caller::all().into_iter();
            let done = all.filter(|caller| outcome(&row, *caller) == Outcome::Done);
            done.filter(is_stale).count() as u32
        })
        .sum();
    let world = World::start(&app, used_up).await;
    let mut failures = Vec::new();
    for row in rows(table) {
        refuse(&world, &row, &mut failures).await;
        match row.changes() {
            true => permit_to_change(&world, &row, &mut failures).await,
            false => permit_to_read(&world, &row, &mut failures).await,
        }
        if row.target == Target::Customer && row.names_something() {
            refuse_for_another_subject(&world, &row, &mut failures).await;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    app.stop().await;
}

/// Whoever may not gets what the policy says, and changes nothing.
async fn refuse(world: &World<'_>, row: &Row, failures: &mut Vec<String>) {
    let owner = world.person(Who::Owner);
    let made = make(world, row, &owner).await;
    let before = world.state.read(&world.app.database);
    for caller in Caller::all() {
        let expected = outcome(row, caller);
        if expected == Outcome::Done {
            continue;
        }
        let credential = world.credential(caller, row.policy.is_admin());
        let response = send(world, row, &made, &credential).await;
        let got = described(&response);
        let shown = format!("{} by {caller:?}", row.name());
        if !is_as_expected(row, expected, &response) {
            failures.push(format!("{shown} is not {expected:?}, but {got}"));
        }
        let names_something = row.names_something() || row.target == Target::Customer;
        if expected == Outcome::Missing && names_something {
            let unknown = made.unknown(world);
            let missing = send(world, row, &unknown, &credential).await;
            if !are_alike((&response, &made), (&missing, &unknown)) {
                let missing = described(&missing);
                failures.push(format!("{shown}: {got}, but of an unknown id: {missing}"));
            }
        }
        let is_owner = matches!(caller, Caller::Person(Who::Owner, ..));
        if !is_owner && response.text.contains(&world.email(&owner)) {
            failures.push(format!("{shown} tells of the owner: {got}"));
        }
    }
    if row.policy == Policy::Link {
        let nobody = world.credential(Caller::Nobody, false);
        let forged = send(world, row, &made.unknown(world), &nobody).await;
        if forged.status != 404 {
            let got = described(&forged);
            failures.push(format!("{} with a forged token: {got}", row.name()));
        }
    }
    let changed = changes_since(world, &before);
    if !changed.is_empty() {
        let name = row.name();
        failures.push(format!("{name} by one who may not changed {changed:#?}"));
    }
}

/// To an application, a session that is not of the person it names does not exist, whether the person
/// is its own or another's.
async fn refuse_for_another_subject(world: &World<'_>, row: &Row, failures: &mut Vec<String>) {
    for key in [Key::Sessions, Key::Foreign] {
        let made = make(world, row, "").await;
        let another = customer(world, key).await;
        let before = world.state.read(&world.app.database);
        let credential = world.credential(Caller::Key(key), false);
        let response = send(world, row, &made.for_subject_of(&another), &credential).await;
        let changed = changes_since(world, &before);
        if response.status != row.missing || !changed.is_empty() {
            let (name, got) = (row.name(), described(&response));
            failures.push(format!(
                "{name} of another subject by {key:?}: {got}, {changed:#?}"
            ));
        }
    }
}

/// Returns the callers who may.
fn permitted(row: &Row) -> impl Iterator<Item = Caller> {
    let all = Caller::all().into_iter();
    all.filter(|caller| outcome(row, *caller) == Outcome::Done)
}

/// Whoever may read does, and gets nothing of another person's that is not theirs to read.
async fn permit_to_read(world: &World<'_>, row: &Row, failures: &mut Vec<String>) {
    let owner = world.person(Who::Owner);
    let made = make(world, row, &owner).await;
    let before = world.state.read(&world.app.database);
    for caller in permitted(row) {
        let credential = world.credential(caller, row.policy.is_admin());
        let response = send(world, row, &made, &credential).await;
        let (shown, got) = (
            format!("{} by {caller:?}", row.name()),
            described(&response),
        );
        if !is_as_expected(row, Outcome::Done, &response) {
            failures.push(format!("{shown} is not done, but {got}"));
        }
        let is_of_another = row.policy.is_own() && credential.person != owner;
        if is_of_another && response.text.contains(&world.email(&owner)) {
            failures.push(format!("{shown} tells of somebody else: {got}"));
        }
    }
    let changed = changes_since(world, &before);
    if !changed.is_empty() {
        failures.push(format!("{} changed {changed:#?}", row.name()));
    }
}

/// Whoever may change something does, each with something new, and changes what is theirs alone.
async fn permit_to_change(world: &World<'_>, row: &Row, failures: &mut Vec<String>) {
    for caller in permitted(row) {
        let (credential, owner) = match row.policy.is_own() {
            true => {
                let credential = world.fresh(caller).await;
                let owner = credential.person.clone();
                (credential, owner)
            }
            false => (
                world.credential(caller, row.policy.is_admin()),
                world.person(Who::Owner),
            ),
        };
        let made = make(world, row, &owner).await;
        let before = world.state.read(&world.app.database);
        let response = send(world, row, &made, &credential).await;
        let changed = changes_since(world, &before);
        let (shown, got) = (
            format!("{} by {caller:?}", row.name()),
            described(&response),
        );
        if !is_as_expected(row, Outcome::Done, &response) {
            failures.push(format!("{shown} is not done, but {got}"));
        }
        if row.effect == Effect::Changes && changed.is_empty() {
            failures.push(format!("{shown} changed nothing: {got}"));
        }
        let of_others = |changed: &&String| !is_of(world, &owner, &made, changed);
        let of_others: Vec<_> = changed.iter().filter(of_others).collect();
        if row.policy.is_own() && !of_others.is_empty() {
            failures.push(format!("{shown} changed of others {of_others:#?}"));
        }
    }
}

/// Returns the rows that are not as they were, before and after.
fn changes_since(world: &World, before: &BTreeSet<String>) -> Vec<String> {
    let after = world.state.read(&world.app.database);
    before.symmetric_difference(&after).cloned().collect()
}

/// Returns whether a row of the database belongs to a person, or is what they just made.
fn is_of(world: &World, person: &str, made: &Made, row: &str) -> bool {
    let id = id_in_row(&world.app.database, person);
    let texts = [id.as_str(), &world.email(person), made.value("{new}")];
    texts.iter().any(|text| row.contains(text))
}
