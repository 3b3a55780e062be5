//! The ids that a registry gave: bounded, by document and topic.

use std::collections::BTreeMap;

/// What a registry calls a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaId {
    /// Its number.
    pub id: i32,
    /// Its GUID, where the registry gives one.
    pub guid: Option<[u8; 16]>,
}

/// Most ids that are remembered for a converter: pairs of schema and topic.
pub const IDS_MAX: usize = 10_000;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    of_document: BTreeMap<u64, BTreeMap<String, SchemaId>>,
    count: usize,
}

impl Ids {
    /// The id of a document for records of `topic`.
    #[must_use]
    pub fn get(&self, document: u64, topic: &str) -> Option<SchemaId> {
        self.of_document.get(&document)?.get(topic).copied()
    }

    /// Remembers an id. Beyond the bound, everything else is forgotten; the registry gives the same ids again.
    pub fn put(&mut self, document: u64, topic: String, id: SchemaId) {
        if self.count >= IDS_MAX && self.get(document, &topic).is_none() {
            self.of_document.clear();
            self.count = 0;
        }
        self.count += usize::from(self.of_document.entry(document).or_default().insert(topic, id).is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_remembered_up_to_the_bound() {
        let mut ids = Ids::default();
        let id = |id| SchemaId { id, guid: None };
        for number in 0..i32::try_from(IDS_MAX).expect("small") {
            ids.put(1, format!("t{number}"), id(number));
        }
        ids.put(1, "t0".into(), id(0));
        assert_eq!((ids.get(1, "t0"), ids.get(1, "t9999"), ids.get(2, "t0")), (Some(id(0)), Some(id(9_999)), None));
        ids.put(2, "u".into(), id(7));
        assert_eq!((ids.get(1, "t0"), ids.get(2, "u")), (None, Some(id(7))));
    }
}
