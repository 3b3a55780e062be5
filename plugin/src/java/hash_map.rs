//! The order in which a `java.util.HashMap` with texts as keys gives its entries back. Connect rebuilds schemaless maps as
//! HashMaps, and JSON shows the order.

/// Buckets of a new map.
pub const NEW: usize = 16;

/// Buckets of a map that is made for that many entries, `new HashMap<>(entries)`.
#[must_use]
pub fn sized(entries: usize) -> usize {
    entries.max(1).next_power_of_two()
}

/// Buckets of the copy of a map of that many entries.
#[must_use]
pub fn copied(entries: usize) -> usize {
    // As of JDK 19; earlier ones take one entry more into account (JDK-8281631).
    if entries == 0 { NEW } else { (entries * 4).div_ceil(3).next_power_of_two() }
}

/// Puts entries into the order in which a map of so many buckets yields them that was filled with them one by one.
pub fn sort<T>(entries: &mut Vec<T>, mut buckets: usize, key: impl Fn(&T) -> &str) {
    // A table grows when it is more than three quarters full.
    while entries.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    // Entries of one bucket stay in the order in which they came. Places are sorted, not entries: a sort for each type
    // of entry would be large.
    let mut places: Vec<(u32, u32)> =
        entries.iter().zip(0..).map(|(entry, place)| (bucket(key(entry), buckets), place)).collect();
    places.sort_unstable();
    let mut taken: Vec<Option<T>> = std::mem::take(entries).into_iter().map(Some).collect();
    entries.extend(places.into_iter().filter_map(|(_, place)| taken[place as usize].take()));
}

fn bucket(key: &str, buckets: usize) -> u32 {
    let hash = key.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    (hash ^ (hash >> 16)) & (buckets as u32 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The orders are a JVM's.
    #[test]
    fn the_order_is_that_of_java() {
        let mut few = vec!["timestamp", "Id", "Name", "banana", "apple"];
        sort(&mut few, NEW, |key| key);
        assert_eq!(few, ["banana", "apple", "Id", "timestamp", "Name"]);
        assert_eq!((copied(0), copied(3), copied(4), copied(12), sized(5), sized(0)), (16, 4, 8, 16, 8, 1));
    }
}
