//! Writes small MaxMind DB files (format 2.0): a search tree, the records, the metadata.

use std::io::Write;
use std::net::Ipv6Addr;
use std::path::Path;

use ipnet::{IpNet, Ipv6Net};
use serde_json::{Number, Value, json};

/// The size of a record of the tree, in bits. Each node has two records.
const RECORD_SIZE: u16 = 24;
/// The zeros between the tree and the records, which the tree's pointers include.
const SEPARATOR: [u8; 16] = [0; 16];
const METADATA_MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
/// The first second of 2026: constant, so that the same places always result in the same file.
const BUILD_EPOCH: u64 = 1_767_225_600;

// The numbers of the format's types.
const STRING: u8 = 2;
const DOUBLE: u8 = 3;
const UINT16: u8 = 5;
const UINT32: u8 = 6;
const MAP: u8 = 7;
const INT32: u8 = 8;
const UINT64: u8 = 9;
const ARRAY: u8 = 11;
const BOOLEAN: u8 = 14;
const FLOAT: u8 = 15;

/// A small database of places.
pub struct Mmdb {
    database_type: String,
    places: Vec<(Ipv6Net, Value)>,
}

impl Mmdb {
    /// Creates a database without places, of a type such as `GeoLite2-City`.
    pub fn new(database_type: &str) -> Self {
        Self {
            database_type: database_type.to_owned(),
            places: Vec::new(),
        }
    }

    /// Adds a network and its record. Of two networks that overlap, the narrower one counts; of two
    /// equal ones, the later.
    #[track_caller]
    pub fn with(mut self, network: &str, record: Value) -> Self {
        let parsed = network
            .parse()
            .unwrap_or_else(|error| panic!("`{network}` is not a network: {error}"));
        self.places.push((in_ipv6(parsed), record));
        self
    }

    /// Writes the file under a temporary name and renames it: no reader ever finds a part of it.
    pub fn write(&self, path: &Path) {
        let folder = path.parent().expect("a path in a folder");
        let mut file = tempfile::NamedTempFile::new_in(folder).expect("a file beside it");
        file.write_all(&self.bytes()).expect("the file is written");
        file.persist(path).expect("the file is moved to its place");
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut places: Vec<_> = self.places.iter().collect();
        places.sort_by_key(|(network, _)| network.prefix_len());
        let mut tree = Tree::new();
        let mut records = Encoder::default();
        for (network, record) in places {
            tree.insert(*network, Slot::Record(records.0.len()));
            records.value(record);
        }
        [
            tree.bytes(),
            SEPARATOR.to_vec(),
            records.0,
            METADATA_MARKER.to_vec(),
            self.metadata(tree.nodes.len()),
        ]
        .concat()
    }

    fn metadata(&self, node_count: usize) -> Vec<u8> {
        let mut out = Encoder::default();
        out.value(&json!({
            "binary_format_major_version": 2,
            "binary_format_minor_version": 0,
            "build_epoch": BUILD_EPOCH,
            "database_type": self.database_type,
            "description": {"en": "Places for tests"},
            "ip_version": 6,
            "languages": ["en", "de", "fr"],
            "node_count": node_count,
            "record_size": RECORD_SIZE,
        }));
        out.0
    }
}

/// Returns the network as an IPv6 one: IPv4 addresses are below `::/96`.
fn in_ipv6(network: IpNet) -> Ipv6Net {
    match network {
        IpNet::V4(v4) => Ipv6Net::new(v4.addr().to_ipv6_compatible(), 96 + v4.prefix_len())
            .expect("at most 128 bits"),
        IpNet::V6(v6) => v6,
    }
}

/// A child of a node.
#[derive(Clone, Copy)]
enum Slot {
    Empty,
    Node(usize),
    /// A record, by its offset among the records.
    Record(usize),
}

/// The search tree, with one level for each bit of an IPv6 address.
struct Tree {
    nodes: Vec<[Slot; 2]>,
}

impl Tree {
    /// Creates a tree with an empty IPv4 part and its alias `::ffff:0:0/96`, as MaxMind writes it.
    fn new() -> Self {
        let mut tree = Self {
            nodes: vec![[Slot::Empty; 2]],
        };
        let ipv4 = tree.node_at(Ipv6Addr::UNSPECIFIED, 96);
        let mapped = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
        let above = tree.node_at(mapped, 95);
        tree.nodes[above][bit(mapped, 95)] = Slot::Node(ipv4);
        tree
    }

    /// Inserts a network. The wider ones have to be inserted before it: then the nodes below it are
    /// only those of [`Tree::new`].
    fn insert(&mut self, network: Ipv6Net, slot: Slot) {
        let Some(last) = network.prefix_len().checked_sub(1) else {
            self.fill(Slot::Node(0), slot);
            return;
        };
        let node = self.node_at(network.addr(), last);
        let side = bit(network.addr(), last);
        self.nodes[node][side] = self.fill(self.nodes[node][side], slot);
    }

    /// Returns the node that the first `bits` bits of the address lead to; creates it if it is
    /// missing.
    fn node_at(&mut self, address: Ipv6Addr, bits: u8) -> usize {
        (0..bits).fold(0, |node, position| {
            let side = bit(address, position);
            match self.nodes[node][side] {
                Slot::Node(next) => next,
                // A record of the whole network applies to both halves.
                known => {
                    self.nodes.push([known; 2]);
                    let next = self.nodes.len() - 1;
                    self.nodes[node][side] = Slot::Node(next);
                    next
                }
            }
        })
    }

    /// Returns what replaces `old`: `new`, or the same node with `new` everywhere below it.
    fn fill(&mut self, old: Slot, new: Slot) -> Slot {
        let Slot::Node(node) = old else { return new };
        for side in [0, 1] {
            self.nodes[node][side] = self.fill(self.nodes[node][side], new);
        }
        old
    }

    fn bytes(&self) -> Vec<u8> {
        let count = self.nodes.len();
        let number = |slot: &Slot| match *slot {
            Slot::Empty => count,
            Slot::Node(node) => node,
            Slot::Record(offset) => count + SEPARATOR.len() + offset,
        };
        let record = |slot: &Slot| {
            let number = u32::try_from(number(slot)).expect("a small database");
            let [0, bytes @ ..] = number.to_be_bytes() else {
                panic!("too large for a small database");
            };
            bytes
        };
        self.nodes.iter().flatten().flat_map(record).collect()
    }
}

/// Returns a bit of an address, counted from the left.
fn bit(address: Ipv6Addr, position: u8) -> usize {
    usize::from(address.to_bits() >> (127 - position) & 1 == 1)
}

/// Appends values in the encoding of the format.
#[derive(Default)]
struct Encoder(Vec<u8>);

impl Encoder {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => panic!("the format has no null; leave the key out"),
            Value::Bool(value) => self.head(BOOLEAN, usize::from(*value)),
            Value::Number(number) => self.number(number, UINT32),
            Value::String(text) => self.text(text),
            Value::Array(values) => {
                self.head(ARRAY, values.len());
                values.iter().for_each(|value| self.value(value));
            }
            Value::Object(entries) => {
                self.head(MAP, entries.len());
                entries
                    .iter()
                    .for_each(|(key, value)| self.entry(key, value));
            }
        }
    }

    /// Appends a key and its value. Readers are strict: some numbers need the exact type that
    /// MaxMind writes.
    fn entry(&mut self, key: &str, value: &Value) {
        self.text(key);
        let kind = match key {
            "binary_format_major_version" | "binary_format_minor_version" => UINT16,
            "ip_version" | "record_size" => UINT16,
            "accuracy_radius" | "confidence" | "metro_code" => UINT16,
            "build_epoch" => UINT64,
            _ => UINT32,
        };
        match value {
            Value::Number(number) => self.number(number, kind),
            other => self.value(other),
        }
    }

    fn number(&mut self, number: &Number, unsigned: u8) {
        if let Some(value) = number.as_u64() {
            self.unsigned(unsigned, value);
        } else if let Some(value) = number.as_i64() {
            let value = i32::try_from(value).expect("a small negative number");
            self.head(INT32, 4);
            self.0.extend(value.to_be_bytes());
        } else {
            self.float(number.as_f64().expect("a float"));
        }
    }

    /// Appends a float with single precision if that is exact, else with double: files have either.
    fn float(&mut self, value: f64) {
        let narrow = value as f32;
        if f64::from(narrow) == value {
            self.head(FLOAT, 4);
            self.0.extend(narrow.to_be_bytes());
        } else {
            self.head(DOUBLE, 8);
            self.0.extend(value.to_be_bytes());
        }
    }

    /// Appends an unsigned number without leading zero bytes; zero itself has no bytes.
    fn unsigned(&mut self, kind: u8, value: u64) {
        let zeros = value.leading_zeros() as usize / 8;
        let most = match kind {
            UINT16 => 2,
            UINT32 => 4,
            _ => 8,
        };
        assert!(8 - zeros <= most, "{value} is too large a number");
        self.head(kind, 8 - zeros);
        self.0.extend(&value.to_be_bytes()[zeros..]);
    }

    fn text(&mut self, text: &str) {
        self.head(STRING, text.len());
        self.0.extend(text.as_bytes());
    }

    /// Appends the type and size of a value. A size from 29 needs additional bytes, a type from 8
    /// one more byte.
    fn head(&mut self, kind: u8, size: usize) {
        let (first, more) = match size {
            0..29 => (size as u8, Vec::new()),
            29..285 => (29, vec![(size - 29) as u8]),
            285..65_821 => (30, ((size - 285) as u16).to_be_bytes().to_vec()),
            _ => panic!("{size} is too much for a test's record"),
        };
        match kind {
            1..=7 => self.0.push(kind << 5 | first),
            _ => self.0.extend([first, kind - 7]),
        }
        self.0.extend(more);
    }
}
