//! The callers, each with credentials made once.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use rollcall::keys::KeyRing;
use rollcall::mail::MessageLinks;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::callers::{By, Caller, Key, Step, Void, Who};
use super::state::State;
use super::world::{Credential, World, bearer, cookies, csrf_of, role};
use crate::support::app::settings_for;
use crate::support::prelude::*;
use crate::support::program::Program;

const HOUR: Duration = Duration::from_secs(3600);

impl<'a> World<'a> {
    /// Makes the callers; `stale` is the number of people whose password was given long ago and whose
    /// token is used up.
    pub async fn start(app: &'a TestApp, stale: u32) -> Self {
        app.register("ada@example.org").await;
        let ring = KeyRing::load(&settings_for(&app.database, |_| {}), app.clock.clone());
        let mut world = Self {
            app,
            state: State::new(&app.database),
            links: MessageLinks::new(&ring.expect("the keys"), String::new()),
            shop: String::new(),
            keys: HashMap::new(),
            shared: HashMap::new(),
            stale: RefCell::default(),
            made: Cell::new(0),
        };
        let mut later = Vec::new();
        for who in Who::ALL {
            let id = world.add_person(role(who));
            let device = world.sign_in(&id).await;
            let cookie = world.browse(&id).await;
            world.share(Caller::Person(who, Step::Stale, By::Cookie), cookie);
            later.push((who, id, device));
        }
        for _ in 0..stale {
            let id = world.add_person("person");
            let device = world.sign_in(&id).await;
            world.stale.borrow_mut().push((id, device));
        }
        app.advance(HOUR);
        for (who, id, mut device) in later {
            let expired = bearer(&id, &device.access_token);
            world.share_void(Void::Expired, By::Token, who, expired);
            device.refresh().await;
            let stale = bearer(&id, &device.access_token);
            world.share(Caller::Person(who, Step::Stale, By::Token), stale);
            world.add_fresh(who, &id).await;
        }
        for who in Who::ALL {
            world.add_foreign_csrf(who);
        }
        let nobody = app.browser(FIREFOX);
        let form = nobody.form("/forgot-password", "/forgot-password").await;
        let nobody = Credential {
            headers: vec![("cookie", cookies(&nobody, &["rollcall_device"]))],
            public_csrf: csrf_of(&form.hidden),
            ..Credential::default()
        };
        world.share(Caller::Nobody, nobody);
        world.add_keys();
        for who in [Who::Owner, Who::Admin] {
            world.add_void(who).await;
        }
        world
    }

    fn share(&mut self, caller: Caller, credential: Credential) {
        for is_admin in [false, true] {
            self.shared.insert((caller, is_admin), credential.clone());
        }
    }

    /// Stores what is no longer good, of somebody who may do what is asked.
    fn share_void(&mut self, void: Void, by: By, who: Who, credential: Credential) {
        let key = (Caller::Void(void, by), who == Who::Admin);
        if matches!(who, Who::Owner | Who::Admin) {
            self.shared.insert(key, credential);
        }
    }

    async fn add_fresh(&mut self, who: Who, id: &str) {
        let device = self.sign_in(id).await;
        let caller = |by| Caller::Person(who, Step::Fresh, by);
        self.share(caller(By::Token), bearer(id, &device.access_token));
        let browser = self.browser(id).await;
        let cookie = self.credential_of(id, &browser).await;
        let without = Credential {
            csrf: String::new(),
            public_csrf: String::new(),
            ..cookie.clone()
        };
        let forward = Credential {
            headers: vec![(
                "cookie",
                cookies(&browser, &["rollcall_forward", "rollcall_device"]),
            )],
            ..cookie.clone()
        };
        self.share(caller(By::Cookie), cookie);
        self.share(caller(By::WithoutCsrf), without);
        self.share(caller(By::ForwardCookie), forward);
    }

    fn add_foreign_csrf(&mut self, who: Who) {
        let of = |who| (Caller::Person(who, Step::Fresh, By::Cookie), false);
        let stranger = if who == Who::Other {
            Who::Owner
        } else {
            Who::Other
        };
        let stranger = self.shared[&of(stranger)].clone();
        let foreign = Credential {
            csrf: stranger.csrf,
            public_csrf: stranger.public_csrf,
            ..self.shared[&of(who)].clone()
        };
        self.share(Caller::Person(who, Step::Fresh, By::ForeignCsrf), foreign);
    }

    async fn add_void(&mut self, who: Who) {
        let id = self.shared[&(Caller::Person(who, Step::Fresh, By::Token), false)]
            .person
            .clone();
        let device = self.sign_in(&id).await;
        let cookie = self.browse(&id).await;
        let forged = bearer(&id, &altered(&device.access_token));
        self.share_void(Void::Forged, By::Token, who, forged);
        let refresh = bearer(&id, &device.refresh_token);
        self.share_void(Void::Refresh, By::Token, who, refresh);
        let mut forged = cookie.clone();
        forged.headers[0].1 = altered_session(&forged.headers[0].1);
        self.share_void(Void::Forged, By::Cookie, who, forged);

        let ended = self.sign_in(&id).await;
        ended.post("/api/v1/auth/logout").await.expect(204);
        self.share_void(
            Void::Ended,
            By::Token,
            who,
            bearer(&id, &ended.access_token),
        );
        for void in [Void::Ended, Void::Expired] {
            let cookie = self.browse(&id).await;
            let change = match void {
                Void::Ended => "is_active = false",
                _ => "expires_at = '2031-05-01 00:00:00.000000'",
            };
            self.change_session(&cookie, change).await;
            self.share_void(void, By::Cookie, who, cookie);
        }
        let body = json!({"email": self.email(&id), "password": PASSWORD, "audience": self.shop});
        let made_for = self.app.anyone().post("/api/v1/auth/login", &body).await;
        let made_for = Device::from_login(self.app.base(), &made_for.expect(200));
        self.share_void(
            Void::Audience,
            By::Token,
            who,
            bearer(&id, &made_for.access_token),
        );

        let disabled = self.add_person(role(who));
        let device = self.sign_in(&disabled).await;
        let cookie = self.browse(&disabled).await;
        self.change_person(&disabled, "is_active = false");
        let token = bearer(&disabled, &device.access_token);
        self.share_void(Void::Disabled, By::Token, who, token);
        self.share_void(Void::Disabled, By::Cookie, who, cookie);
    }

    /// Adds the keys of one application, and that of another.
    fn add_keys(&mut self) {
        let program = Program::with(&self.app.database);
        let [shop, forum] =
            ["shop", "forum"].map(|name| program.add_key(&["--name", name, "--scope", "tokens"]));
        for key in Key::ALL {
            let (like, secret) = match key {
                Key::Foreign => (&forum, format!("rck_{}", Uuid::new_v4())),
                _ => (&shop, format!("rck_{}", Uuid::new_v4())),
            };
            let digest: String = Sha256::digest(&secret)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let time = |is_set| {
                if is_set {
                    "'2031-05-01 00:00:00.000000'"
                } else {
                    "NULL"
                }
            };
            self.copy(
                "api_keys",
                &format!("id = {}", self.app.database.id(&like.id)),
                &[
                    ("id", self.app.database.id(&self.new_id())),
                    ("name", format!("'{key:?}'")),
                    ("secret_hash", format!("'{digest}'")),
                    ("scopes", format!("'{}'", key.scopes())),
                    ("revoked_at", time(key == Key::Revoked).into()),
                    ("expires_at", time(key == Key::Expired).into()),
                ],
            );
            let sent = if key == Key::Forged {
                altered(&secret)
            } else {
                secret
            };
            self.keys.insert(key, sent);
        }
        self.shop = shop.application;
        for key in Key::ALL {
            let credential = bearer("", &self.keys[&key]);
            self.share(Caller::Key(key), credential);
        }
    }

    /// Returns what a caller sends. Of one whose credentials are void, an administrator's where the
    /// route is for them.
    pub fn credential(&self, caller: Caller, is_admin: bool) -> Credential {
        let found = self.shared.get(&(caller, is_admin));
        found
            .unwrap_or_else(|| panic!("nobody is {caller:?}"))
            .clone()
    }
}

/// Returns a secret with one character exchanged.
fn altered(secret: &str) -> String {
    let at = secret.len() - 10;
    let other = if &secret[at..=at] == "x" { "y" } else { "x" };
    format!("{}{other}{}", &secret[..at], &secret[at + 1..])
}

/// Returns the cookies with one character of the first exchanged, which is that of the session.
fn altered_session(cookies: &str) -> String {
    let (session, rest) = cookies.split_once("; ").expect("two cookies");
    format!("{}; {rest}", altered(session))
}
