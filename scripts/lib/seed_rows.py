"""The rows that scripts/seed writes: people, devices, sessions, the applications that these reached, and
events, in realistic shares.

Every value is worked out from the seed and the number of the person, or of the chunk of sessions, so
that nothing of ten million rows is stored here. Values are text as PostgreSQL's COPY reads it.
"""

import math
import random
import unicodedata
from dataclasses import dataclass

NULL = "\\N"
DAY = 24 * 60 * 60
IDLE = 12 * 60 * 60
REMEMBERED_IDLE = 180 * DAY
# Ended sessions are purged after 90 days: seeded ones ended a little later than that.
RETAINED = 88 * DAY
SPAN = 170 * DAY
MASK = (1 << 64) - 1

FIRST = """Ada Ben Chloé Dmitri Emi Farid Grace Hiro Ines Jonas Kavita Liam Mei Noah Olga Pedro Qadir Rosa
Sven Tara Umar Vera Wei Ximena Yusuf Zoë Aisha Bruno Clara Diego Elif Finn Gita Hugo Isla Jun Karim Lena
Marco Nia Omar Priya Ravi Sofia Tomás Uma Viktor Wanda Yara Zane""".split()
LAST = """Lovelace Okafor Martin Petrov Tanaka Haddad Hopper Sato Ribeiro Weber Sharma Murphy Chen Smith
Ivanova Silva Khan Rossi Larsen Jones Farooq Novak Li García Demir Wójcik Ali Costa Hoffmann López Yılmaz
Nilsson Patel Dubois Campbell Kim Mansour Schmidt Moretti Mwangi Nasser Reddy Kumar Popescu Pereira Das
Horváth Nowak Diallo Meyer""".split()

# Country, city, latitude, longitude, share.
PLACES = [
    ("Germany", "Berlin", 52.52, 13.41, 14), ("Germany", "Munich", 48.14, 11.58, 6),
    ("Portugal", "Lisbon", 38.72, -9.14, 9), ("France", "Lyon", 45.76, 4.84, 10),
    ("United States", "Chicago", 41.88, -87.63, 14), ("United States", "Denver", 39.74, -104.99, 7),
    ("United Kingdom", "Leeds", 53.8, -1.55, 9), ("India", "Pune", 18.52, 73.86, 9),
    ("Japan", "Kyoto", 35.01, 135.77, 5), ("South Korea", "Busan", 35.18, 129.08, 4),
    ("Brazil", "São Paulo", -23.55, -46.63, 6), ("Nigeria", "Lagos", 6.45, 3.39, 3),
    ("Norway", "Oslo", 59.91, 10.75, 2), ("New Zealand", "Wellington", -41.29, 174.78, 1),
    ("Iceland", "Reykjavík", 64.15, -21.94, 1),
]

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"
MAC = "Macintosh; Intel Mac OS X 10_15_7"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


def _profile(share, kind, name, browser, version, system, system_version, brand, model, agent):
    return share, (name, agent, kind, browser, version, system, system_version, brand, model)


# Share; the device's name, its user agent, and what is recognized of it.
PROFILES = [
    _profile(22, "desktop", "Chrome on Windows", "Chrome", "142", "Windows", "10", NULL, NULL,
             "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + CHROME.format("142.0.0.0")),
    _profile(10, "desktop", "Firefox on Windows", "Firefox", "145", "Windows", "10", NULL, NULL,
             "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    _profile(8, "desktop", "Edge on Windows", "Edge", "142", "Windows", "10", NULL, NULL,
             "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + CHROME.format("142.0.0.0") + " Edg/142.0.0.0"),
    _profile(8, "desktop", "Safari on Mac", "Safari", "26", "macOS", NULL, "Apple", "Mac",
             f"Mozilla/5.0 ({MAC}) {WEBKIT} Version/26.1 Safari/605.1.15"),
    _profile(6, "desktop", "Chrome on Mac", "Chrome", "142", "macOS", NULL, "Apple", "Mac",
             f"Mozilla/5.0 ({MAC}) " + CHROME.format("142.0.0.0")),
    _profile(3, "desktop", "Firefox on Ubuntu", "Firefox", "145", "Ubuntu", NULL, NULL, NULL,
             "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    _profile(17, "phone", "Safari on iPhone", "Safari", "18", "iOS", "18.7", "Apple", "iPhone",
             "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) " + WEBKIT
             + " Version/18.7 Mobile/15E148 Safari/604.1"),
    _profile(13, "phone", "Chrome on Android", "Chrome", "142", "Android", "10", NULL, NULL,
             "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
             "Chrome/142.0.0.0 Mobile Safari/537.36"),
    _profile(4, "tablet", "Safari on iPad", "Safari", "17", "iPadOS", "17.6", "Apple", "iPad",
             "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) " + WEBKIT
             + " Version/17.6 Mobile/15E148 Safari/604.1"),
    _profile(2, "tv", "LG TV", "LG Browser", NULL, "webOS", NULL, "LG", NULL,
             "Mozilla/5.0 (Web0S; Linux/SmartTV) " + CHROME.format("108.0.5359.211") + " WebAppManager"),
    _profile(1, "console", "PlayStation 5", "Safari", "15", "PlayStation", "5", "Sony", "PlayStation 5",
             f"Mozilla/5.0 (PlayStation; PlayStation 5/8.20) {WEBKIT} Version/15.4 Safari/605.1.15"),
    _profile(3, "program", "curl", "curl", "8", NULL, NULL, NULL, NULL, "curl/8.14.1"),
    _profile(2, "program", "Python Requests", "Python Requests", "2", NULL, NULL, NULL, NULL,
             "python-requests/2.32.5"),
    _profile(1, "unknown", "Unrecognised browser", NULL, NULL, NULL, NULL, NULL, NULL,
             "KitchenDisplay (firmware 3)"),
]

# Why sessions ended, and in which shares.
REASONS = [("expired", 46), ("signed_out", 27), ("replaced", 13), ("signed_out_remotely", 7),
           ("password_changed", 3), ("admin", 2), ("limit", 1), ("reuse_detected", 1)]

# Name, and the hosts that it is reached at.
APPLICATIONS = [("Shop", "shop.example.org"), ("Forum", "forum.example.org"), ("Support desk", "")]
# Hosts behind forward-auth, some of which no application has.
HOSTS = ["wiki.example.org", "charts.example.org:8443", "shop.example.org", "forum.example.org"]

USERS = """id email full_name password_hash created_at updated_at password_changed_at external_subject
address_keeping stated_email email_verified_at application_id""".split()
DEVICES = "user_id device_id name first_seen_at last_seen_at".split()
SESSIONS = """id user_id refresh_token_jti device_name device_id ip_address user_agent last_used_at expires_at
is_active location_city location_country created_at updated_at absolute_expires_at is_remembered idle_seconds
confirmed_at opened_via ended_at ended_reason ended_by device_kind browser browser_version os os_version brand
model location_point sweep_at last_used_bucket ip_key application_id sign_in_country has_changed_country
has_impossible_travel""".split()
SESSION_APPLICATIONS = "session_id user_id kind name last_used_at".split()
EVENTS = "id user_id session_id kind detail ip_address by_user_id by_session_id at".split()


def _spread(weighted):
    """Returns a list in which each value is as often as its share."""
    return [value for value, share in weighted for _ in range(share)]


@dataclass(frozen=True)
class Person:
    number: int
    id: str
    mixed: int  # 64 bits from which the person's properties are taken
    retention: str
    application: str
    place: int


class World:
    """What is the same for all rows: who there are, from when to when."""

    def __init__(self, seed, first_person, people, now):
        self.seed = f"rollcall/{seed}/{first_person}"
        self.random = random.Random(self.seed)
        self.salt = self.random.getrandbits(64)
        self.first_person = first_person
        self.people = people
        self.now = now
        self.joined = now - 3 * 365 * DAY
        first_day = self.joined // DAY
        self.first_day = first_day
        days = range(first_day, now // DAY + 400)
        self.days = [_date(day) for day in days]
        self.seconds = [f" {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(DAY)]
        self.places = _spread([(n, place[4]) for n, place in enumerate(PLACES)])
        self.profiles = _spread([(profile, share) for share, profile in PROFILES])
        self.reasons = _spread(REASONS)
        self.points = [f"{north:+06.2f}{east:+07.2f}/" for _, _, north, east, _ in PLACES]
        self.applications = [
            self.uuid(self.joined, self.mix(n) >> 2, n) for n in range(len(APPLICATIONS))
        ]

    def mix(self, number):
        """Returns 64 bits that look random and differ for each number (splitmix64)."""
        z = (number * 0x9E3779B97F4A7C15 + self.salt) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def time(self, second, micros="000000"):
        day, rest = divmod(second, DAY)
        return f"{self.days[day - self.first_day]}{self.seconds[rest]}.{micros}"

    def uuid(self, second, bits, more, millis=0):
        """Returns a UUID of version 7 (RFC 9562) with 62 and 12 bits."""
        high = (second * 1000 + millis) << 16 | 0x7000 | more & 0xFFF
        return f"{high << 64 | 1 << 63 | bits & (1 << 62) - 1:032x}"

    def person(self, index):
        mixed = self.mix(index)
        part = mixed % 100
        return Person(
            number=self.first_person + index,
            id=self.uuid(self.joined + index % (365 * DAY), mixed >> 2, index),
            mixed=mixed,
            retention="none" if part < 4 else "shortened" if part < 10 else "whole",
            application=self.applications[part % len(APPLICATIONS)] if part >= 91 else NULL,
            place=self.places[(mixed >> 8) % 100],
        )

    # ---------------------------------------------------------------- people and their devices

    def user_row(self, index, password_hash):
        person = self.person(index)
        mixed, number = person.mixed, person.number
        first, last = FIRST[(mixed >> 16) % len(FIRST)], LAST[(mixed >> 24) % len(LAST)]
        email = f"{_ascii(first)}.{_ascii(last)}.{number}@example.org"
        created = self.time(self.joined + index % (365 * DAY))
        subject = stated = NULL
        if person.application != NULL:
            subject, stated = f"subject-{number}", email
            email = f"{_dashed(person.id)}@external.invalid"
        return [person.id, email, f"{first} {last}", password_hash, created, created, created, subject,
                person.retention, stated, created if subject == NULL else NULL, person.application]

    def device_rows(self, index):
        person = self.person(index)
        rows = []
        for n in range(_device_count(person.mixed)):
            profile = self.profile(person.mixed, n)
            if profile[2] in ("program", "unknown") or person.application != NULL:
                continue
            name = f"{FIRST[(person.mixed >> 16) % len(FIRST)]}’s {profile[2]}" if (person.mixed >> n) % 9 == 0 else NULL
            first = self.joined + (person.mixed >> 20) % (2 * 365 * DAY)
            last = self.now - (person.mixed >> 12) % RETAINED
            rows.append([person.id, _device_id(person.mixed, n), name, self.time(first), self.time(last)])
        return rows

    def profile(self, mixed, n):
        return self.profiles[(mixed >> (7 * n + 3)) % 100]

    # ---------------------------------------------------------------- sessions and their events

    def begin_chunk(self, first_session):
        """Makes the rows that follow the same, whichever process writes them."""
        self.random.seed(f"{self.seed}/{first_session}")

    def session_rows(self, index, total):
        """Returns the row of a session, oldest first, those of its events and those of what it reached."""
        draw = self.random.random
        now = self.now
        person = self.person(int(self.people * draw() ** 1.5))
        bits = self.random.getrandbits(124)
        micros = f"{bits % 1_000_000:06d}"
        millis = bits % 1_000_000 // 1000
        age = SPAN * (1 - (index + draw()) / total) ** 1.3
        created = now - int(age) - 60
        identity = self.uuid(created, bits >> 62, bits >> 20, millis)

        number = int(draw() * _device_count(person.mixed))
        profile = self.profile(person.mixed, number)
        by_application = person.application != NULL
        is_browser = not by_application and profile[2] not in ("program", "unknown")
        remembered = not is_browser or (bits >> 10) % 10 < 7
        idle = REMEMBERED_IDLE if remembered else IDLE
        absolute = created + (365 * DAY if remembered else 7 * DAY)

        is_live = draw() < math.exp(-age / (60 * DAY))
        unused = int(-math.log(1 - draw()) * 4 * DAY)
        if not remembered:
            is_live, unused = is_live and age < 7 * DAY, unused % IDLE
        elif bits >> 50 & 7 == 0:
            # A device in a drawer.
            unused = int(age * draw())
        used = max(created, now - unused - 30)
        if is_live:
            ended = reason = by_session = NULL
            expires = min(absolute, used + idle)
            is_live = expires > now
        if not is_live:
            ended_at, used, expires, reason = self.ending(created, remembered, idle)
            by_session = identity if reason == "signed_out" else NULL
            ended = self.time(ended_at, micros)

        place = person.place
        address, key = self.address(person, place, bits >> 30)
        sign_in_country = PLACES[place][0]
        has_changed_country = draw() < 0.015
        if has_changed_country:
            place = self.places[bits % 100]
            address, key = self.address(person, place, bits >> 40)
            has_changed_country = PLACES[place][0] != sign_in_country
        country, city = PLACES[place][:2]
        travels = has_changed_country and bits >> 8 & 31 == 0
        created_at, used_at, expires_at = (self.time(at, micros) for at in (created, used, expires))
        row = [
            identity, person.id, f"{bits:031x}", profile[0],
            _device_id(person.mixed, number) if is_browser else NULL, address, profile[1], used_at,
            expires_at, "t" if is_live else "f", city, country, created_at,
            used_at if is_live else ended, self.time(absolute, micros), "t" if remembered else "f",
            str(idle), created_at, "application" if by_application else "browser" if is_browser else "api",
            ended, reason, by_session, *profile[2:], self.points[place], expires_at, str(used // 600), key,
            person.application, sign_in_country, "t" if has_changed_country else "f", "t" if travels else "f",
        ]
        who = (person.id, identity)
        events = [self.event(who, created, bits, 1, micros, "signed_in", NULL, address, who)]
        if bits >> 16 & 15 == 0:
            events.append(self.event(who, (created + used) // 2, bits, 2, micros, "refreshed", NULL, address, who))
        if travels:
            travel = f"{700 + bits % 9000} km in {2 + bits % 50} min"
            events.append(self.event(who, used, bits, 3, micros, "impossible_travel", travel, address, who))
        if not is_live:
            by = who if reason == "signed_out" else (NULL, NULL)
            where = address if reason == "signed_out" else NULL
            events.append(self.event(who, ended_at, bits, 4, micros, "ended", reason, where, by))
        used = self.time(used, micros)
        return row, events, self.reached(who, person, is_browser, bits, used)

    def reached(self, who, person, is_browser, bits, used):
        """Returns the rows of the applications that a session reached, all with its last use."""
        user, session = who
        names = []
        if person.application != NULL:
            names = [("client", _dashed(person.application))]
        elif is_browser:
            names = [("host", host) for n, host in enumerate(HOSTS) if bits >> 60 + 2 * n & 3 == 0]
        return [[session, user, kind, name, used] for kind, name in names]

    def ending(self, created, remembered, idle):
        """Returns when a session ended, was used last and would expire, and why it ended."""
        draw = self.random.random
        first = max(created, self.now - RETAINED)
        ended = first + int((self.now - first) * draw() ** 1.5)
        reason = self.reasons[int(draw() * 100)]
        used = created + int((ended - created) * draw())
        if reason == "expired":
            used = max(created, ended - idle)
            return ended, used, ended, reason
        if not remembered:
            used = max(used, ended - idle)
        return ended, used, max(used + idle, ended), reason

    def event(self, who, at, bits, n, micros, kind, detail, address, by):
        identity = self.uuid(at, bits >> (3 * n), n << 8 | bits & 0xFF, int(micros) // 1000)
        return [identity, *who, kind, detail, address, *by, self.time(at, micros)]

    def address(self, person, place, bits):
        """Returns an address and its sortable form, as the person lets them be stored."""
        if person.retention == "none":
            return NULL, NULL
        shortened = person.retention == "shortened"
        chance = bits % 100
        if chance < 20:
            a, b, c = 1 + place, 1 + (person.mixed >> 13) % 0xFFFE, 1 + bits % 0xFFFE
            if shortened:
                return f"2001:db8:{a:x}::", f"620010db8{a:04x}{'0' * 20}"
            return f"2001:db8:{a:x}:{b:x}::{c:x}", f"620010db8{a:04x}{b:04x}{'0' * 12}{c:04x}"
        if chance < 24:
            # The offices, each of which is one address with many people.
            number = 198 << 24 | 18 << 16 | place << 8 | 1
        elif chance < 60:
            number = 100 << 24 | 64 << 16 | place << 18 | person.mixed >> 15 & 0x3FFFF
        else:
            number = 10 << 24 | place << 20 | bits >> 7 & 0xFFFFF
        if shortened:
            number &= ~0xFF
        text = f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        return text, f"4{number:08x}"


def _date(day):
    """Returns the date of a day since the Unix epoch (Howard Hinnant's civil_from_days)."""
    z = day + 719468
    era, doe = divmod(z, 146097)
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    return f"{yoe + era * 400 + (month <= 2):04d}-{month:02d}-{doy - (153 * mp + 2) // 5 + 1:02d}"


def _ascii(name):
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain.lower()


def _dashed(identity):
    return "-".join([identity[:8], identity[8:12], identity[12:16], identity[16:20], identity[20:]])


def _device_count(mixed):
    return 1 + (mixed >> 5) % 4


def _device_id(mixed, n):
    return f"seed-{mixed:016x}-{n}"
