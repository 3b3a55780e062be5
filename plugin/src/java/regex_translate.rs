//! The dialect of `java.util.regex.Pattern`, and that of RE2, written anew for `regex-lite`: flags are worked into the
//! characters, classes become plain sets. What an automaton cannot do (lookaround, back references, possessive and atomic
//! parts) and what would need Unicode's tables is refused by name.

use super::{
    regex::{Dialect, RegexError},
    regex_class::{CharSet, line_terminators, posix, predefined},
};

/// Longest pattern, in bytes.
pub(super) const PATTERN_BYTES_MAX: usize = 4_096;
/// How deep groups and classes may be nested.
const NESTING_MAX: usize = 50;
/// The most that `{n}` may ask for.
const REPEAT_MAX: usize = 1_000;

/// A translated pattern.
#[derive(Debug)]
pub(super) struct Translated {
    /// In the syntax of `regex-lite`.
    pub(super) pattern: String,
    /// Names of groups, by group number less one.
    pub(super) groups: Vec<Option<String>>,
    /// States of the automaton, about: what each character of a text may cost.
    pub(super) states: usize,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    dot_all: bool,
    multi_line: bool,
    comments: bool,
    unix_lines: bool,
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    dialect: Dialect,
    flags: Flags,
    out: String,
    groups: Vec<Option<String>>,
    depth: usize,
}

type Result<T> = std::result::Result<T, RegexError>;

/// Translates a pattern.
pub(super) fn translate(pattern: &str, dialect: Dialect) -> Result<Translated> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(RegexError::Syntax(format!("it has more than {PATTERN_BYTES_MAX} bytes")));
    }
    let mut translator = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        dialect,
        flags: Flags::default(),
        out: String::new(),
        groups: Vec::new(),
        depth: 0,
    };
    let states = translator.alternation()?;
    if translator.at < translator.chars.len() {
        return Err(translator.syntax("a closing parenthesis without an opening one"));
    }
    Ok(Translated { pattern: translator.out, groups: translator.groups, states })
}

impl Translator {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn takes(&mut self, expected: &str) -> bool {
        let found = expected.chars().enumerate().all(|(n, c)| self.chars.get(self.at + n) == Some(&c));
        if found {
            self.at += expected.chars().count();
        }
        found
    }

    fn syntax(&self, problem: &str) -> RegexError {
        RegexError::Syntax(format!("{problem} near position {}", self.at))
    }

    fn unsupported(&self, what: impl Into<String>) -> RegexError {
        RegexError::Unsupported(what.into())
    }

    fn skip_comments(&mut self) {
        while self.flags.comments {
            match self.peek() {
                Some(' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r') => self.at += 1,
                Some('#') => while self.next().is_some_and(|c| c != '\n' && c != '\r') {},
                _ => break,
            }
        }
    }

    /// Everything up to the end or a closing parenthesis; the states that it takes.
    fn alternation(&mut self) -> Result<usize> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(self.syntax("groups are nested too deep"));
        }
        let mut states = 1;
        loop {
            self.skip_comments();
            match self.peek() {
                None | Some(')') => break,
                Some('|') => {
                    self.at += 1;
                    self.out.push('|');
                    states += 1;
                }
                Some(_) => states += self.repeated()?,
            }
        }
        self.depth -= 1;
        Ok(states)
    }

    /// An atom and what repeats it.
    fn repeated(&mut self) -> Result<usize> {
        let start = self.out.len();
        let Some(states) = self.atom()? else { return Ok(0) };
        self.skip_comments();
        let (times, text) = match self.peek() {
            Some(sign @ ('*' | '+' | '?')) => {
                self.at += 1;
                (1, sign.to_string())
            }
            Some('{') => self.counted()?,
            _ => return Ok(states),
        };
        // A group of its own, so that the sign holds for all that the atom became.
        self.out.insert_str(start, "(?:");
        self.out.push(')');
        self.out.push_str(&text);
        match self.peek() {
            Some('?') => {
                self.at += 1;
                self.out.push('?');
            }
            Some('+') if self.dialect == Dialect::Java => {
                return Err(self.unsupported(format!("the possessive quantifier {text}+")));
            }
            _ => {}
        }
        Ok((states + 2).saturating_mul(times))
    }

    /// `{n}`, `{n,}` or `{n,m}`.
    fn counted(&mut self) -> Result<(usize, String)> {
        let illegal = self.syntax("an illegal repetition");
        let end = self.chars[self.at..].iter().position(|&c| c == '}').ok_or(illegal.clone())?;
        let text: String = self.chars[self.at + 1..self.at + end].iter().collect();
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<usize>().unwrap_or(usize::MAX)).ok_or(illegal.clone())
        };
        let (least, most) = match text.split_once(',') {
            None => (number(&text)?, Some(number(&text)?)),
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        if most.is_some_and(|most| most < least) {
            return Err(illegal);
        }
        let times = most.unwrap_or(least + 1);
        if times > REPEAT_MAX {
            return Err(self.unsupported(format!("a repetition of more than {REPEAT_MAX} times")));
        }
        self.at += end + 1;
        Ok((times.max(1), format!("{{{text}}}")))
    }

    /// One atom; `None` for what is only a flag.
    fn atom(&mut self) -> Result<Option<usize>> {
        let Some(character) = self.next() else { return Ok(None) };
        match character {
            '(' => return self.group(),
            '[' => {
                let set = self.class()?;
                set.write(&mut self.out);
            }
            '.' if self.flags.dot_all => CharSet::default().complement().write(&mut self.out),
            '.' => line_terminators(self.flags.unix_lines || self.dialect == Dialect::Re2)
                .complement()
                .write(&mut self.out),
            '^' => self.out.push_str(if self.flags.multi_line { "(?m:^)" } else { "\\A" }),
            '$' => self.out.push_str(if self.flags.multi_line { "(?m:$)" } else { "\\z" }),
            '*' | '+' | '?' => return Err(self.syntax(&format!("a dangling meta character '{character}'"))),
            '{' if self.dialect == Dialect::Java => {
                // Java reads a repetition of nothing at the beginning of a pattern.
                self.at -= 1;
                return self.counted().map(|_| None);
            }
            '\\' => return self.escape().map(Some),
            other => self.character(other),
        }
        Ok(Some(1))
    }

    fn character(&mut self, character: char) {
        let set = CharSet::range(character, character);
        if self.flags.ignore_case && character.is_ascii_alphabetic() {
            set.folded().write(&mut self.out);
        } else {
            self.out.push_str(&format!("\\x{{{:X}}}", u32::from(character)));
        }
    }

    fn group(&mut self) -> Result<Option<usize>> {
        let before = self.flags;
        if !self.takes("?") {
            self.groups.push(None);
            return self.rest_of_group("(", before).map(Some);
        }
        for (start, what) in [
            ("=", "the lookahead (?=...)"),
            ("!", "the negative lookahead (?!...)"),
            ("<=", "the lookbehind (?<=...)"),
            ("<!", "the negative lookbehind (?<!...)"),
            (">", "the atomic group (?>...)"),
        ] {
            if self.takes(start) {
                return Err(self.unsupported(what));
            }
        }
        if self.takes("P<") || self.takes("<") {
            let mut name = String::new();
            loop {
                match self.next() {
                    Some('>') => break,
                    Some(c) if c.is_ascii_alphanumeric() || (c == '_' && self.dialect == Dialect::Re2) => name.push(c),
                    _ => return Err(self.syntax("a group's name is not closed")),
                }
            }
            let letter = name.starts_with(|c: char| c.is_ascii_alphabetic());
            if !(letter || self.dialect == Dialect::Re2 && !name.is_empty())
                || self.groups.iter().flatten().any(|other| *other == name)
            {
                return Err(self.syntax("a group's name does not begin with a letter, or is given twice"));
            }
            self.groups.push(Some(name));
            return self.rest_of_group("(", before).map(Some);
        }
        let mut on = true;
        loop {
            match self.next() {
                Some(':') => return self.rest_of_group("(?:", before).map(Some),
                // The flags hold up to the end of the group around them.
                Some(')') => return Ok(None),
                Some('-') => on = false,
                Some('i') => self.flags.ignore_case = on,
                Some('s') => self.flags.dot_all = on,
                Some('m') => self.flags.multi_line = on,
                Some('x') if self.dialect == Dialect::Java => self.flags.comments = on,
                Some('d') if self.dialect == Dialect::Java => self.flags.unix_lines = on,
                Some(flag @ ('u' | 'U')) => return Err(self.unsupported(format!("the flag (?{flag})"))),
                _ => return Err(self.syntax("an unknown group or flag")),
            }
        }
    }

    fn rest_of_group(&mut self, opening: &str, before: Flags) -> Result<usize> {
        self.out.push_str(opening);
        let states = self.alternation()?;
        if self.next() != Some(')') {
            return Err(self.syntax("an unclosed group"));
        }
        self.out.push(')');
        self.flags = before;
        Ok(states + 2)
    }

    /// What follows a backslash outside of a class.
    fn escape(&mut self) -> Result<usize> {
        match self.peek() {
            Some('Q') => {
                self.at += 1;
                let mut states = 0;
                self.out.push_str("(?:");
                while self.at < self.chars.len() && !self.takes("\\E") {
                    if let Some(character) = self.next() {
                        self.character(character);
                        states += 1;
                    }
                }
                self.out.push(')');
                return Ok(states);
            }
            Some(letter @ ('b' | 'B' | 'A' | 'z')) => {
                self.at += 1;
                self.out.extend(['\\', letter]);
            }
            Some('Z') if self.dialect == Dialect::Java => {
                self.at += 1;
                self.out.push_str("\\z");
            }
            Some('R') if self.dialect == Dialect::Java => {
                self.at += 1;
                self.out.push_str("(?:\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])");
            }
            Some(digit @ '1'..='9') => return Err(self.unsupported(format!("the back reference \\{digit}"))),
            Some('k') => return Err(self.unsupported("the back reference \\k<...>")),
            Some(letter @ ('G' | 'X' | 'N' | 'C')) => return Err(self.unsupported(format!("\\{letter}"))),
            _ => match self.class_escape()? {
                Atom::Set(set) => set.write(&mut self.out),
                Atom::Char(character) => self.character(character),
            },
        }
        Ok(1)
    }

    /// What follows a backslash and stands for characters.
    fn class_escape(&mut self) -> Result<Atom> {
        let Some(letter) = self.next() else { return Err(self.syntax("a backslash at the end")) };
        if let Some(set) = predefined(letter) {
            return Ok(Atom::Set(set));
        }
        let code = match letter {
            'p' | 'P' => return self.property(letter == 'P').map(Atom::Set),
            't' => 9,
            'n' => 10,
            'r' => 13,
            'f' => 12,
            'a' => 7,
            'e' => 27,
            'c' => self.next().map_or(0, u32::from) ^ 64,
            'x' if self.takes("{") => {
                let end = self.chars[self.at..].iter().position(|&c| c == '}').unwrap_or(0);
                let code = self.digits(end, 16)?;
                self.at += 1;
                code
            }
            'x' => self.digits(2, 16)?,
            'u' => self.digits(4, 16)?,
            '0' => {
                let octal = self.chars[self.at..].iter().take(3).take_while(|c| ('0'..='7').contains(*c)).count();
                let too_large = octal == 3 && self.peek().is_some_and(|c| c > '3');
                self.digits(if too_large { 2 } else { octal }, 8)?
            }
            other if other.is_ascii_alphabetic() => {
                return Err(self.syntax(&format!("the unknown escape \\{other}")));
            }
            other => u32::from(other),
        };
        char::from_u32(code).map(Atom::Char).ok_or_else(|| self.unsupported("half a surrogate pair"))
    }

    fn digits(&mut self, count: usize, radix: u32) -> Result<u32> {
        let text: String = self.chars[self.at..].iter().take(count).collect();
        if count == 0 || text.chars().count() < count || text.starts_with(['+', '-']) {
            return Err(self.syntax("an incomplete number of a character"));
        }
        self.at += count;
        u32::from_str_radix(&text, radix).map_err(|_| self.syntax("an unreadable number of a character"))
    }

    /// `\p{Alpha}`.
    fn property(&mut self, negated: bool) -> Result<CharSet> {
        let mut name = String::new();
        if self.takes("{") {
            while let Some(character) = self.next().filter(|&c| c != '}') {
                name.push(character);
            }
        } else {
            name.extend(self.next());
        }
        let proper = name.chars().next().is_some_and(|c| c.is_ascii_uppercase());
        let set = posix(&name).filter(|_| proper && self.dialect == Dialect::Java && name != "Ascii");
        let set = set.ok_or_else(|| self.unsupported(format!("the Unicode class \\p{{{name}}}")))?;
        let set = if self.flags.ignore_case && matches!(name.as_str(), "Lower" | "Upper") { set.folded() } else { set };
        Ok(if negated { set.complement() } else { set })
    }

    /// The rest of a class behind its opening bracket.
    fn class(&mut self) -> Result<CharSet> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(self.syntax("classes are nested too deep"));
        }
        let negated = self.takes("^");
        let java = self.dialect == Dialect::Java;
        let (mut whole, mut part, mut is_first) = (None::<CharSet>, CharSet::default(), true);
        let mut is_empty = true;
        loop {
            if java {
                self.skip_comments();
            }
            let Some(character) = self.next() else { return Err(self.syntax("an unclosed class")) };
            let set = match character {
                ']' if !is_first => break,
                '[' if java => self.class()?,
                '[' if self.takes(":") => self.posix_class()?,
                '&' if java && self.peek() == Some('&') => {
                    while self.takes("&") {}
                    let left = std::mem::take(&mut part);
                    // Nothing between two signs changes nothing.
                    if !is_empty {
                        whole = Some(whole.map_or(left.clone(), |whole| whole.intersection(&left)));
                    }
                    is_empty = true;
                    continue;
                }
                '\\' if java && self.takes("Q") => {
                    let mut quoted = CharSet::default();
                    while self.at < self.chars.len() && !self.takes("\\E") {
                        quoted = self.next().map_or(quoted.clone(), |c| quoted.union(&CharSet::range(c, c)));
                    }
                    quoted
                }
                first => self.class_range(first)?,
            };
            is_first = false;
            is_empty = false;
            part = part.union(&if self.flags.ignore_case { set.folded() } else { set });
        }
        self.depth -= 1;
        let set = match whole {
            None => part,
            Some(whole) if is_empty => whole,
            Some(whole) => whole.intersection(&part),
        };
        Ok(if negated { set.complement() } else { set })
    }

    /// A character, or a range that begins with it.
    fn class_range(&mut self, first: char) -> Result<CharSet> {
        let first = match first {
            '\\' => match self.class_escape()? {
                Atom::Set(set) => return Ok(set),
                Atom::Char(character) => character,
            },
            other => other,
        };
        let closing = matches!(self.chars.get(self.at + 1), None | Some(']'));
        let nested = self.dialect == Dialect::Java && self.chars.get(self.at + 1) == Some(&'[');
        if self.peek() != Some('-') || closing || nested {
            return Ok(CharSet::range(first, first));
        }
        self.at += 1;
        let last = match self.next() {
            Some('\\') => match self.class_escape()? {
                Atom::Set(_) => return Err(self.syntax("an illegal range of characters")),
                Atom::Char(character) => character,
            },
            Some(character) => character,
            None => return Err(self.syntax("an unclosed class")),
        };
        if last < first {
            return Err(self.syntax("an illegal range of characters"));
        }
        Ok(CharSet::range(first, last))
    }

    /// `[:alpha:]`, RE2's.
    fn posix_class(&mut self) -> Result<CharSet> {
        let negated = self.takes("^");
        let mut name = String::new();
        while let Some(character) = self.next().filter(|&c| c != ':') {
            name.push(character);
        }
        if !self.takes("]") {
            return Err(self.syntax("an unclosed class"));
        }
        let set = if name == "word" { predefined('w') } else { posix(&name) };
        let set = set.ok_or_else(|| self.syntax("an unknown class"))?;
        Ok(if negated { set.complement() } else { set })
    }
}

enum Atom {
    Set(CharSet),
    Char(char),
}
