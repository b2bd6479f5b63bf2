//! The source of the project, for tests of its structure.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A file of Rust source.
pub struct Source {
    /// Relative to the project's root: `src/sessions/store/model.rs`.
    pub path: PathBuf,
    pub text: String,
}

/// A path that a file names: `["crate", "sessions", "store", "find"]`. The last segment is `self`
/// or `*` where a `use` ends so.
pub type NamedPath = Vec<String>;

/// A `use` of a file, and whether it makes the names visible outside of the module.
pub struct Use {
    pub path: NamedPath,
    pub is_export: bool,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// The path of its module below the crate: `["sessions", "store", "model"]`; empty for
    /// `lib.rs`.
    pub fn module(&self) -> Vec<String> {
        let below = self.path.strip_prefix("src").unwrap_or(&self.path);
        let mut segments: Vec<String> = below
            .with_extension("")
            .iter()
            .map(|segment| segment.to_string_lossy().into_owned())
            .collect();
        if segments.last().is_some_and(|last| last == "mod") {
            segments.pop();
        }
        if segments == ["lib"] {
            segments.clear();
        }
        segments
    }

    /// The module below the crate's root that it belongs to; `main` and `lib` are their own.
    pub fn top_level_module(&self) -> String {
        match self.module().first() {
            Some(first) => first.clone(),
            None => "lib".into(),
        }
    }

    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Its tokens: without comments, and with doc comments as attributes.
    pub fn tokens(&self) -> TokenStream {
        self.text
            .parse()
            .unwrap_or_else(|err| panic!("{}: {err}", self.shown()))
    }

    /// Every identifier, in the order of the source. What stands in a string or a comment is none.
    pub fn identifiers(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect_identifiers(self.tokens(), &mut found);
        found
    }

    /// Its `use` declarations, one for each name, in whatever module of the file they stand.
    pub fn uses(&self) -> Vec<Use> {
        let mut found = Vec::new();
        collect_uses(self.tokens(), 0, &mut found);
        found
    }

    /// Every path that begins with `crate`, `super` or `self`, in a `use` or elsewhere.
    pub fn local_paths(&self) -> Vec<NamedPath> {
        let mut found = Vec::new();
        collect_paths(self.tokens(), 0, &mut found);
        let uses = self.uses().into_iter().map(|used| used.path);
        found.extend(uses.filter(|path| is_local(path)));
        found
    }
}

/// The Rust files below these folders.
pub fn sources(folders: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a text");
                let path = path.strip_prefix(root).expect("a path below the root");
                found.push(Source {
                    path: path.to_owned(),
                    text,
                });
            }
        }
    }
    assert!(!found.is_empty());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn is_local(path: &[String]) -> bool {
    path.first()
        .is_some_and(|first| matches!(first.as_str(), "crate" | "super" | "self"))
}

fn collect_identifiers(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found.push(ident.to_string()),
            TokenTree::Group(group) => collect_identifiers(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// `depth` is how many modules within the file the tokens are in.
fn collect_uses(tokens: TokenStream, depth: usize, found: &mut Vec<Use>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    let mut is_export = false;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Ident(ident) if *ident == "pub" => is_export = true,
            TokenTree::Ident(ident) if *ident == "use" => {
                let end = tokens[at..]
                    .iter()
                    .position(|token| is_punct(token, ';'))
                    .map_or(tokens.len(), |length| at + length);
                let mut paths = Vec::new();
                expand_tree(&tokens[at..end], &[], &mut paths);
                found.extend(paths.into_iter().map(|path| Use {
                    path: seen_from_file(path, depth),
                    is_export,
                }));
                is_export = false;
                at = end;
            }
            // Of `pub(crate)`.
            TokenTree::Group(group) if is_export && group.delimiter() == Delimiter::Parenthesis => {
            }
            TokenTree::Group(group) => {
                collect_uses(group.stream(), depth + module_step(&tokens, at - 1), found);
                is_export = false;
            }
            _ => is_export = false,
        }
    }
}

/// Expands `a::{b, c::D}` into `a::b` and `a::c::D`.
fn expand_tree(tokens: &[TokenTree], prefix: &[String], found: &mut Vec<NamedPath>) {
    for branch in tokens.split(|token| is_punct(token, ',')) {
        let mut path = prefix.to_vec();
        let mut is_grouped = false;
        for token in branch {
            match token {
                // What follows is the local name.
                TokenTree::Ident(ident) if *ident == "as" => break,
                TokenTree::Ident(ident) => path.push(ident.to_string()),
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    expand_tree(&inner, &path, found);
                    is_grouped = true;
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => path.push("*".into()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        if !is_grouped && path.len() > prefix.len() {
            found.push(path);
        }
    }
}

/// `depth` is how many modules within the file the tokens are in.
fn collect_paths(tokens: TokenStream, depth: usize, found: &mut Vec<NamedPath>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            // What a `use` names is read apart, and `pub(in path)` names what may read.
            TokenTree::Ident(ident) if *ident == "use" => {
                let length = tokens[at..].iter().position(|token| is_punct(token, ';'));
                at = length.map_or(tokens.len(), |length| at + length);
            }
            TokenTree::Ident(ident) if *ident == "pub" => {
                at += 1;
                at += usize::from(matches!(tokens.get(at), Some(TokenTree::Group(_))));
            }
            TokenTree::Ident(_) => {
                let path = path_at(&tokens[at..]);
                at += (path.len() * 3).saturating_sub(2).max(1);
                if path.len() > 1 && is_local(&path) {
                    found.push(seen_from_file(path, depth));
                }
            }
            TokenTree::Group(group) => {
                collect_paths(group.stream(), depth + module_step(&tokens, at), found);
                at += 1;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => at += 1,
        }
    }
}

/// One where the group at `at` is the body of `mod name { … }`, else zero.
fn module_step(tokens: &[TokenTree], at: usize) -> usize {
    let before = at.checked_sub(2).and_then(|before| tokens.get(before));
    usize::from(matches!(before, Some(TokenTree::Ident(ident)) if *ident == "mod"))
}

/// A path named in a module within the file, as the file itself would name it.
fn seen_from_file(mut path: NamedPath, depth: usize) -> NamedPath {
    let supers = path
        .iter()
        .take_while(|segment| *segment == "super")
        .count();
    let inner = supers.min(depth);
    if inner > 0 {
        path.splice(..inner, ["self".to_owned()]);
    }
    path
}

/// The path that the tokens begin with: identifiers joined by `::`.
fn path_at(tokens: &[TokenTree]) -> NamedPath {
    let mut path = NamedPath::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(ident), after @ ..] = rest {
        path.push(ident.to_string());
        match after {
            [first, second, next @ ..] if is_punct(first, ':') && is_punct(second, ':') => {
                rest = next;
            }
            _ => break,
        }
    }
    path
}

fn is_punct(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected)
}
