//! What an error of the Kafka client means to the worker: the one place that decides it, by the error's type and code,
//! never by its text.

use std::{error::Error as StdError, io, sync::Arc};

use krafka::{KrafkaError, ProtocolErrorKind, error::ErrorCode};

use crate::sink::SinkError;

/// The verdict on `error`, which came while `doing` something at the cluster at `address` with the login that stands in
/// `login`.
pub(super) fn sink_error(address: &str, login: &str, doing: &str, error: &KrafkaError) -> SinkError {
    let what = format!("Kafka at {address}, {doing}: {error}");
    match error {
        KrafkaError::Fenced { .. } => SinkError::Fenced(what),
        KrafkaError::Auth { .. } => SinkError::Refused(format!("{what}. Check {login}.")),
        // The client's text here is about its own builder.
        KrafkaError::Broker { code: code @ ErrorCode::ClusterAuthorizationFailed, .. } => {
            from_code(format!("Kafka at {address}, {doing}: {code:?}"), login, *code)
        }
        KrafkaError::Broker { code, .. } => from_code(what, login, *code),
        KrafkaError::TransactionAbortable { message } => match refusing_code(message) {
            Some(code) => from_code(what, login, code),
            None => SinkError::Unavailable(what),
        },
        KrafkaError::UnknownTopic { .. } => SinkError::Refused(what),
        KrafkaError::Config { .. } | KrafkaError::Compression { .. } | KrafkaError::Serialization { .. } => {
            SinkError::Refused(what)
        }
        KrafkaError::Protocol { kind: ProtocolErrorKind::FrameTooLarge, .. } => {
            SinkError::Refused(format!("{what}. Raise producer.override.max.request.size."))
        }
        KrafkaError::Protocol { kind: ProtocolErrorKind::UnknownApiVersion, .. } => {
            SinkError::Refused(format!("{what}. Brokers from Kafka 3.9 on are supported."))
        }
        KrafkaError::Network(_) if certificate_refused(error) => SinkError::Refused(format!(
            "{what}. The broker wants a certificate of the client that it trusts, or trusts another: check {login}, \
             ssl.keystore.* above all."
        )),
        KrafkaError::Network(_) => SinkError::Unavailable(format!(
            "{what}. Check that the brokers run, that bootstrap.servers and their advertised.listeners are right, and that \
             security.protocol and ssl.* are theirs."
        )),
        // Time-outs, a closed client, an order that the broker lost: a new producer, from the committed offset.
        _ => SinkError::Unavailable(what),
    }
}

/// Whether the broker ended the TLS handshake for the client's certificate: the client of Kafka takes that for a broken
/// connection, and it does not get well by itself.
fn certificate_refused(error: &KrafkaError) -> bool {
    use rustls::AlertDescription as A;
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(found) = cause {
        if let Some(rustls::Error::AlertReceived(alert)) = found.downcast_ref() {
            return matches!(
                alert,
                A::BadCertificate
                    | A::UnsupportedCertificate
                    | A::CertificateRevoked
                    | A::CertificateExpired
                    | A::CertificateUnknown
                    | A::UnknownCA
                    | A::CertificateRequired
            );
        }
        // `io::Error` hides what it wraps from `source`, so it is opened by hand.
        let io = found.downcast_ref::<io::Error>().or_else(|| found.downcast_ref::<Arc<io::Error>>().map(Arc::as_ref));
        cause = match io.and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => found.source(),
        };
    }
    false
}

/// In a transaction the client reports a refused record as text alone, `produce to T-0 failed with MessageTooLarge`. This is
/// the one place that reads it; a test with the client's own broker holds the words.
fn refusing_code(message: &str) -> Option<ErrorCode> {
    use ErrorCode as E;
    const REFUSING: [ErrorCode; 8] = [
        E::MessageTooLarge,
        E::RecordListTooLarge,
        E::TopicAuthorizationFailed,
        E::InvalidTimestamp,
        E::InvalidRecord,
        E::UnsupportedCompressionType,
        E::UnsupportedForMessageFormat,
        E::PolicyViolation,
    ];
    REFUSING.into_iter().find(|code| message.contains(&format!("failed with {code:?}")))
}

fn from_code(what: String, login: &str, code: ErrorCode) -> SinkError {
    use ErrorCode as E;
    let advice = match code {
        E::ProducerFenced | E::InvalidProducerEpoch | E::TransactionCoordinatorFenced => {
            return SinkError::Fenced(what);
        }
        E::MessageTooLarge | E::RecordListTooLarge | E::InvalidMessageSize => {
            "A record, or a batch of records, is larger than the topic takes: raise max.message.bytes of the topic (or \
             message.max.bytes of the brokers), lower producer.override.batch.size below it, or leave large fields out."
        }
        E::TopicAuthorizationFailed => {
            "Grant this user WRITE and DESCRIBE on the topic, and READ on the offsets topic."
        }
        E::ClusterAuthorizationFailed => {
            "Grant this user WRITE on the topics (before Kafka 2.8, IDEMPOTENT_WRITE on the cluster), and CREATE if topics are \
             to be created."
        }
        E::GroupAuthorizationFailed => {
            "Grant this user READ on the group, `kafka-acls --add --allow-principal User:NAME --operation Read --group ID`."
        }
        E::InconsistentGroupProtocol => {
            "The group is that of other software, of Kafka Connect workers for one: end those, or name another group.id."
        }
        E::InvalidSessionTimeout => {
            "session.timeout.ms is outside what the brokers allow: group.min.session.timeout.ms to group.max.session.timeout.ms."
        }
        E::FencedInstanceId => {
            return SinkError::Fenced(format!("{what}. Another worker has the same group.instance.id."));
        }
        E::TransactionalIdAuthorizationFailed => {
            "Grant this user WRITE and DESCRIBE on the transactional id, `kafka-acls --add --allow-principal User:NAME \
             --operation Write --operation Describe --transactional-id ID`, or write exactly.once.source.support=disabled in \
             the worker file."
        }
        E::SaslAuthenticationFailed | E::UnsupportedSaslMechanism | E::IllegalSaslState => {
            return SinkError::Refused(format!("{what}. Check {login}."));
        }
        E::InvalidTimestamp => {
            "The record's timestamp is outside what the topic takes, often more than an hour ahead of the brokers' clock: \
             see message.timestamp.after.max.ms and message.timestamp.before.max.ms, and the clocks."
        }
        E::InvalidRecord => "The topic does not take this record: a compacted topic needs a key.",
        E::UnsupportedCompressionType => "Choose another producer.override.compression.type.",
        E::UnknownTopicOrPartition | E::UnknownTopicId => "The topic or partition does not exist.",
        E::InvalidTopic => "Kafka allows letters, digits, `.`, `_` and `-` in a topic's name, 249 at most.",
        E::InvalidReplicationFactor => "The cluster has fewer brokers than replicas were asked for.",
        E::PolicyViolation | E::InvalidConfig | E::InvalidPartitions | E::InvalidReplicaAssignment => {
            "The cluster does not take these settings of a topic."
        }
        E::UnsupportedVersion | E::UnsupportedForMessageFormat | E::SecurityDisabled => {
            "The brokers do not support what was asked of them: Kafka 3.9 or later is needed."
        }
        _ => return SinkError::Unavailable(what),
    };
    SinkError::Refused(format!("{what}. {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let broker = |code| KrafkaError::broker(code, "text");
        // As the client wraps it when no address of the cluster can be reached.
        let alert = |alert| {
            let inner = KrafkaError::network(io::Error::other(rustls::Error::AlertReceived(alert)));
            KrafkaError::network(io::Error::new(io::ErrorKind::NotConnected, inner))
        };
        let cases = [
            (KrafkaError::fenced("x"), "fenced", ""),
            (broker(ErrorCode::ProducerFenced), "fenced", ""),
            (KrafkaError::auth("x"), "refused", "sasl.jaas.config"),
            (broker(ErrorCode::SaslAuthenticationFailed), "refused", "sasl.jaas.config"),
            (broker(ErrorCode::MessageTooLarge), "refused", "max.message.bytes"),
            (broker(ErrorCode::TopicAuthorizationFailed), "refused", "WRITE"),
            (broker(ErrorCode::UnsupportedVersion), "refused", "3.9 or later"),
            (broker(ErrorCode::GroupAuthorizationFailed), "refused", "READ on the group"),
            (broker(ErrorCode::InconsistentGroupProtocol), "refused", "another group.id"),
            (broker(ErrorCode::InvalidSessionTimeout), "refused", "group.min.session.timeout.ms"),
            (broker(ErrorCode::FencedInstanceId), "fenced", "same group.instance.id"),
            (broker(ErrorCode::CoordinatorNotAvailable), "unavailable", ""),
            (broker(ErrorCode::InvalidTimestamp), "refused", "message.timestamp.after.max.ms"),
            (broker(ErrorCode::UnknownTopicOrPartition), "refused", "does not exist"),
            (KrafkaError::unknown_topic("t"), "refused", "t"),
            (KrafkaError::config("x"), "refused", ""),
            (KrafkaError::protocol_kind(ProtocolErrorKind::FrameTooLarge, "x"), "refused", "max.request.size"),
            (KrafkaError::protocol_kind(ProtocolErrorKind::TruncatedFrame, "x"), "unavailable", ""),
            (KrafkaError::network(std::io::Error::other("x")), "unavailable", "bootstrap.servers"),
            (alert(rustls::AlertDescription::CertificateRequired), "refused", "ssl.keystore.*"),
            (alert(rustls::AlertDescription::InternalError), "unavailable", "bootstrap.servers"),
            (KrafkaError::timeout("x"), "unavailable", ""),
            (KrafkaError::delivery_timeout(true, "x"), "unavailable", ""),
            (KrafkaError::closed("x"), "unavailable", ""),
            (KrafkaError::transaction_abortable("produce to t-0 failed with InvalidTimestamp"), "refused", "clocks"),
            (KrafkaError::transaction_abortable("produce to t-0 failed with UnknownProducerId"), "unavailable", ""),
            (KrafkaError::out_of_order_sequence("t", 0, "x"), "unavailable", ""),
            (broker(ErrorCode::NotEnoughReplicas), "unavailable", ""),
            (broker(ErrorCode::UnknownServerError), "unavailable", ""),
            (broker(ErrorCode::Unknown(999)), "unavailable", ""),
        ];
        for (error, verdict, word) in cases {
            let (got, text) = match sink_error("a:1", "sasl.jaas.config", "writing", &error) {
                SinkError::Fenced(text) => ("fenced", text),
                SinkError::Refused(text) => ("refused", text),
                SinkError::Unavailable(text) => ("unavailable", text),
                SinkError::Stopping => ("stopping", String::new()),
            };
            assert_eq!(got, verdict, "{error}");
            assert!(text.contains(word) && text.contains("a:1, writing"), "{text}");
        }
    }
}
