//! Sets of characters, as the classes of `java.util.regex` make them: union, intersection, complement.

/// A set of characters: ranges in order, apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CharSet(Vec<(u32, u32)>);

const LAST: u32 = 0x10_FFFF;
/// What no `char` can be.
const SURROGATES: (u32, u32) = (0xD800, 0xDFFF);

impl CharSet {
    pub(super) fn of(ranges: &[(char, char)]) -> Self {
        Self(ranges.iter().map(|&(first, last)| (first.into(), last.into())).collect()).sorted()
    }

    pub(super) fn range(first: char, last: char) -> Self {
        Self::of(&[(first, last)])
    }

    pub(super) fn union(mut self, other: &Self) -> Self {
        self.0.extend(&other.0);
        self.sorted()
    }

    pub(super) fn complement(&self) -> Self {
        let (mut ranges, mut next) = (Vec::new(), 0);
        for &(first, last) in &self.0 {
            if next < first {
                ranges.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= LAST {
            ranges.push((next, LAST));
        }
        Self(ranges)
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        self.complement().union(&other.complement()).complement()
    }

    /// With the other case of every ASCII letter.
    pub(super) fn folded(mut self) -> Self {
        for (from, to) in [(('a', 'z'), 'A'), (('A', 'Z'), 'a')] {
            let (first, last) = (u32::from(from.0), u32::from(from.1));
            for index in 0..self.0.len() {
                let (low, high) = self.0[index];
                let (low, high) = (low.max(first), high.min(last));
                if low <= high {
                    let shift = |code: u32| code - first + u32::from(to);
                    self.0.push((shift(low), shift(high)));
                }
            }
        }
        self.sorted()
    }

    /// The set in the syntax of `regex-lite`.
    pub(super) fn write(&self, out: &mut String) {
        let whole = self.clone().union(&Self(vec![SURROGATES]));
        if self.0.is_empty() {
            out.push_str("[^\\x{0}-\\x{10FFFF}]");
            return;
        }
        let (set, negate) = if whole.0.last().is_some_and(|&(_, last)| last == LAST) && self.0.len() > 1 {
            (self.complement(), "^")
        } else {
            (self.clone(), "")
        };
        out.push('[');
        out.push_str(negate);
        for (first, last) in set.0 {
            // Neither end of a range may be half a pair.
            let first = if first >= SURROGATES.0 && first <= SURROGATES.1 { SURROGATES.1 + 1 } else { first };
            let last = if last >= SURROGATES.0 && last <= SURROGATES.1 { SURROGATES.0 - 1 } else { last };
            if first <= last {
                out.push_str(&format!("\\x{{{first:X}}}-\\x{{{last:X}}}"));
            }
        }
        out.push(']');
    }

    fn sorted(mut self) -> Self {
        self.0.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::with_capacity(self.0.len());
        for (first, last) in self.0 {
            match ranges.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => ranges.push((first, last)),
            }
        }
        Self(ranges)
    }
}

/// `.`: everything but line terminators.
pub(super) fn line_terminators(unix: bool) -> CharSet {
    if unix {
        CharSet::range('\n', '\n')
    } else {
        CharSet::of(&[('\n', '\n'), ('\r', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')])
    }
}

/// `\d`, `\w`, `\s`, `\h`, `\v` and their complements.
pub(super) fn predefined(letter: char) -> Option<CharSet> {
    let set = match letter.to_ascii_lowercase() {
        'd' => CharSet::range('0', '9'),
        'w' => CharSet::of(&[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')]),
        's' => CharSet::of(&[('\t', '\r'), (' ', ' ')]),
        'h' => CharSet::of(&[
            (' ', ' '),
            ('\t', '\t'),
            ('\u{a0}', '\u{a0}'),
            ('\u{1680}', '\u{1680}'),
            ('\u{180e}', '\u{180e}'),
            ('\u{2000}', '\u{200a}'),
            ('\u{202f}', '\u{202f}'),
            ('\u{205f}', '\u{205f}'),
            ('\u{3000}', '\u{3000}'),
        ]),
        'v' => CharSet::of(&[('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')]),
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() { set.complement() } else { set })
}

/// The POSIX classes, by the names in `\p{...}` (`Alpha`) and in `[:...:]` (`alpha`).
pub(super) fn posix(name: &str) -> Option<CharSet> {
    Some(match name.to_ascii_lowercase().as_str() {
        "lower" => CharSet::range('a', 'z'),
        "upper" => CharSet::range('A', 'Z'),
        "ascii" => CharSet::range('\0', '\x7f'),
        "alpha" => CharSet::of(&[('a', 'z'), ('A', 'Z')]),
        "digit" => CharSet::range('0', '9'),
        "alnum" => CharSet::of(&[('a', 'z'), ('A', 'Z'), ('0', '9')]),
        "punct" => CharSet::of(&[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
        "graph" => CharSet::range('!', '~'),
        "print" => CharSet::range(' ', '~'),
        "blank" => CharSet::of(&[(' ', ' '), ('\t', '\t')]),
        "cntrl" => CharSet::of(&[('\0', '\x1f'), ('\x7f', '\x7f')]),
        "xdigit" => CharSet::of(&[('0', '9'), ('a', 'f'), ('A', 'F')]),
        "space" => CharSet::of(&[('\t', '\r'), (' ', ' ')]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_computed() {
        let letters = CharSet::range('a', 'z');
        let vowels = CharSet::of(&[('a', 'a'), ('e', 'e')]);
        assert_eq!(letters.intersection(&vowels.complement()), CharSet::of(&[('b', 'd'), ('f', 'z')]));
        assert_eq!(vowels.clone().folded(), CharSet::of(&[('A', 'A'), ('E', 'E'), ('a', 'a'), ('e', 'e')]));
        assert_eq!(letters.complement().complement(), letters);
        let everything = CharSet::default().complement();
        let (mut all, mut none, mut rest) = (String::new(), String::new(), String::new());
        everything.write(&mut all);
        CharSet::default().write(&mut none);
        letters.complement().write(&mut rest);
        assert_eq!(all, "[\\x{0}-\\x{10FFFF}]");
        assert_eq!(none, "[^\\x{0}-\\x{10FFFF}]");
        assert_eq!(rest, "[^\\x{61}-\\x{7A}]");
    }
}
