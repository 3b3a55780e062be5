//! A record as the client takes it.

use krafka::Record;

use crate::record::ProducerRecord;

pub(super) fn to_kafka(record: ProducerRecord) -> Record {
    let mut out = match record.value {
        Some(value) => Record::new(record.topic, value),
        None => Record::new(record.topic, Vec::new()).without_value(),
    };
    if let Some(key) = record.key {
        out = out.key(key);
    }
    if let Some(partition) = record.partition {
        out = out.partition(partition);
    }
    if let Some(timestamp) = record.timestamp_ms {
        out = out.timestamp(timestamp);
    }
    for header in record.headers {
        out = match header.value {
            Some(value) => out.header(header.key, value),
            None => out.null_header(header.key),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Header;

    #[test]
    fn every_part_of_a_record_goes_over() {
        let header = |value: Option<&[u8]>| Header { key: "h".to_owned(), value: value.map(<[u8]>::to_vec) };
        let full = ProducerRecord {
            topic: "t".to_owned(),
            partition: Some(3),
            key: Some(b"k".to_vec()),
            value: Some(b"v".to_vec()),
            headers: vec![header(Some(b"1")), header(None)],
            timestamp_ms: Some(7),
        };
        let bare = ProducerRecord {
            partition: None,
            key: None,
            value: None,
            headers: vec![],
            timestamp_ms: None,
            ..full.clone()
        };
        let record = to_kafka(full);
        assert_eq!((record.topic.as_str(), record.partition, record.timestamp), ("t", Some(3), Some(7)));
        assert_eq!((record.key.as_deref(), record.value.as_deref()), (Some(&b"k"[..]), Some(&b"v"[..])));
        assert_eq!(record.headers.len(), 2);
        let record = to_kafka(bare);
        assert_eq!((record.partition, record.timestamp), (None, None));
        assert!(record.key.is_none() && record.value.is_none() && record.headers.is_empty());
    }
}
