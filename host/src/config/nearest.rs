//! The nearest known name to a mistyped one: `did you mean`. Edit distance of Damerau and Levenshtein (optimal string
//! alignment).

/// The known name nearest to `given`, if it is near enough to be what was meant: at most a third of its length away.
#[must_use]
fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (given.chars().count() / 3).clamp(1, 4);
    let given = given.to_ascii_lowercase();
    known
        .into_iter()
        .map(|name| (distance(&given, &name.to_ascii_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// The sentence for a remedy, or nothing.
#[must_use]
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(given, known).map_or_else(String::new, |name| format!("Did you mean {name}?"))
}

/// The same where `known` has families of names, `topic.creation.*`: the beginning is compared with the name up to as many
/// dots, and what follows stays as it is given.
#[must_use]
pub fn did_you_mean_of<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let (families, names): (Vec<&str>, Vec<&str>) = known.into_iter().partition(|name| name.ends_with(".*"));
    let exact = did_you_mean(given, names);
    if !exact.is_empty() {
        return exact;
    }
    let member = families.into_iter().map(|name| name.trim_end_matches('*')).find_map(|stem| {
        let dots = stem.matches('.').count();
        let (end, _) = given.match_indices('.').nth(dots - 1)?;
        let (start, rest) = given.split_at(end + 1);
        (!rest.is_empty() && (1..=2).contains(&distance(&start.to_ascii_lowercase(), stem)))
            .then(|| format!("{stem}{rest}"))
    });
    member.map_or_else(String::new, |name| format!("Did you mean {name}?"))
}

fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = last.clone();
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names() {
        let known = ["group.id", "bootstrap.servers", "offset.storage.topic", "listeners"];
        let cases = [
            ("bootstrap.server", Some("bootstrap.servers")),
            ("BOOTSTRAP.SERVERS", Some("bootstrap.servers")),
            ("gruop.id", Some("group.id")),
            ("offset.storge.topic", Some("offset.storage.topic")),
            ("something.else", None),
            ("x", None),
        ];
        for (given, expected) in cases {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
        assert_eq!(did_you_mean("listener", known), "Did you mean listeners?");
        assert_eq!(did_you_mean("nothing.near", known), "");
    }

    #[test]
    fn members_of_families() {
        let known = ["topic.creation.*", "producer.override.*", "name", "topic.creation.groups", "key.converter*"];
        for (given, expected) in [
            ("topic.creaton.default.partitions", "Did you mean topic.creation.default.partitions?"),
            ("producer.overide.linger.ms", "Did you mean producer.override.linger.ms?"),
            ("topic.creation.group", "Did you mean topic.creation.groups?"),
            ("nam", "Did you mean name?"),
            ("topic.creaton.", ""),
            ("consumer.override.linger.ms", ""),
            ("topic", ""),
            ("", ""),
        ] {
            assert_eq!(did_you_mean_of(given, known), expected, "{given}");
        }
    }

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("a", "", 1), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
