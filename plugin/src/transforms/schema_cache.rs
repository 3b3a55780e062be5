//! `SchemaCache`: what was worked out for a schema, so that it is worked out once and not for every record. Schemas are
//! told apart by identity: a source, and every transform with a cache of its own, hands out the same one again.

use std::sync::Arc;

use super::error::Result;
use crate::data::Schema;

/// Schemas that are remembered, as in Connect; the oldest makes room.
const SCHEMAS_MAX: usize = 16;

/// What was worked out for each of the latest schemas.
#[derive(Clone, Debug)]
pub(super) struct SchemaCache<T>(Vec<(Arc<Schema>, T)>);

impl<T> Default for SchemaCache<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> SchemaCache<T> {
    /// What is known for a schema; `make` works it out.
    pub(super) fn get(&mut self, schema: &Arc<Schema>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        let position = match self.0.iter().position(|(known, _)| Arc::ptr_eq(known, schema)) {
            Some(position) => position,
            None => {
                let made = make()?;
                if self.0.len() == SCHEMAS_MAX {
                    self.0.remove(0);
                }
                self.0.push((Arc::clone(schema), made));
                self.0.len() - 1
            }
        };
        Ok(&self.0[position].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_worked_out_once_and_the_oldest_makes_room() {
        let schemas: Vec<Arc<Schema>> = (0..=SCHEMAS_MAX).map(|_| Arc::new(Schema::int8())).collect();
        let mut cache = SchemaCache::default();
        let mut made = 0;
        for schema in schemas.iter().chain(&schemas[1..]).chain(&schemas[..1]) {
            let known = cache.get(schema, || {
                made += 1;
                Ok(())
            });
            assert!(known.is_ok());
        }
        assert_eq!(made, SCHEMAS_MAX + 2);
    }
}
