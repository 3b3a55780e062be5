//! The contract's types (`wit/types.wit`, `wit/source.wit`) to the host's and back. Payloads move; no byte is copied.

use crate::{
    bindings::{source, types},
    check::{Check, CheckStatus},
    engine::{
        ConfigDefinition, ConfigType, ConfigValue, Conversion, Description, Failure, FailureKind, Importance, Plugin,
        PluginKind, PreflightProgress, Progress, Width,
    },
    record::{Header, ProducerRecord, Scalar, ScalarMap, SourceOffset, SourcePartition},
};

/// A record as the component hands it over.
pub(crate) fn record(from: types::ProducerRecord) -> ProducerRecord {
    ProducerRecord {
        topic: from.topic,
        partition: from.partition,
        key: from.key,
        value: from.value,
        headers: from.headers.into_iter().map(|h| Header { key: h.key, value: h.value }).collect(),
        timestamp_ms: from.timestamp_ms,
    }
}

/// An offset as the component reports it.
pub(crate) fn offset(from: types::SourceOffset) -> SourceOffset {
    SourceOffset(from.into_iter().map(|(key, value)| (key, scalar(value))).collect())
}

/// An offset for the component.
pub(crate) fn offset_to_guest(from: &SourceOffset) -> types::SourceOffset {
    scalars_to_guest(&from.0)
}

/// A source partition for the component.
pub(crate) fn partition_to_guest(from: &SourcePartition) -> types::SourcePartition {
    scalars_to_guest(&from.0)
}

/// Why a component gave up.
pub(crate) fn failure(from: types::Failure) -> Failure {
    let kind = match from.kind {
        types::FailureKind::Config => FailureKind::Config,
        types::FailureKind::Auth => FailureKind::Auth,
        types::FailureKind::Throttled => FailureKind::Throttled,
        types::FailureKind::Transient => FailureKind::Transient,
        types::FailureKind::OffsetLost => FailureKind::OffsetLost,
        types::FailureKind::BadRecord => FailureKind::BadRecord,
        types::FailureKind::Fatal => FailureKind::Fatal,
    };
    Failure { kind, code: from.code, message: from.message, retry_after_ms: from.retry_after_ms }
}

/// What a poll did.
pub(crate) fn progress(from: source::Progress) -> Progress {
    Progress { sent: from.sent, offset: from.offset.map(offset), next_poll_after_ms: from.next_poll_after_ms }
}

/// What a part of a preflight did.
pub(crate) fn preflight(from: source::PreflightProgress) -> PreflightProgress {
    let check = |check: source::Check| Check {
        name: check.name,
        status: match check.status {
            source::CheckStatus::Pass => CheckStatus::Pass,
            source::CheckStatus::Warn => CheckStatus::Warn,
            source::CheckStatus::Fail => CheckStatus::Fail,
        },
        message: check.message,
        remedy: check.remedy,
    };
    PreflightProgress { checks: from.checks.into_iter().map(check).collect(), topics: from.topics, done: from.done }
}

/// What validation found out about a setting.
pub(crate) fn config_value(from: source::ConfigValue) -> ConfigValue {
    ConfigValue {
        name: from.name,
        value: from.value,
        recommended_values: from.recommended_values,
        errors: from.errors,
        warnings: from.warnings,
        visible: from.visible,
    }
}

/// What became of an event.
pub(crate) fn conversion(from: source::Conversion) -> Conversion {
    match from {
        source::Conversion::Made(made) => Conversion::Made(record(made)),
        source::Conversion::Dropped => Conversion::Dropped,
        source::Conversion::Failed(reason) => Conversion::Failed(reason),
    }
}

/// What a component is.
pub(crate) fn description(from: source::Description) -> Description {
    Description {
        classes: from.classes,
        version: from.version,
        summary: from.summary,
        network: from.network,
        config: from.config.into_iter().map(definition).collect(),
        plugins: from.plugins.into_iter().map(plugin).collect(),
    }
}

fn plugin(from: source::Plugin) -> Plugin {
    Plugin {
        classes: from.classes,
        kind: match from.kind {
            source::PluginKind::Transformation => PluginKind::Transformation,
            source::PluginKind::Predicate => PluginKind::Predicate,
        },
        documentation: from.documentation,
        config: from.config.into_iter().map(definition).collect(),
    }
}

fn definition(from: source::ConfigDefinition) -> ConfigDefinition {
    let config_type = match from.config_type {
        source::ConfigType::Boolean => ConfigType::Boolean,
        source::ConfigType::String => ConfigType::String,
        source::ConfigType::Int => ConfigType::Int,
        source::ConfigType::Short => ConfigType::Short,
        source::ConfigType::Long => ConfigType::Long,
        source::ConfigType::Double => ConfigType::Double,
        source::ConfigType::List => ConfigType::List,
        source::ConfigType::Class => ConfigType::Class,
        source::ConfigType::Password => ConfigType::Password,
    };
    let importance = match from.importance {
        source::Importance::High => Importance::High,
        source::Importance::Medium => Importance::Medium,
        source::Importance::Low => Importance::Low,
    };
    let width = match from.width {
        source::Width::None => Width::None,
        source::Width::Short => Width::Short,
        source::Width::Medium => Width::Medium,
        source::Width::Long => Width::Long,
    };
    ConfigDefinition {
        name: from.name,
        config_type,
        required: from.required,
        default_value: from.default_value,
        importance,
        documentation: from.documentation,
        valid_values: from.valid_values,
        group: from.group,
        order_in_group: from.order_in_group,
        width,
        display_name: from.display_name,
        dependents: from.dependents,
        is_file: from.is_file,
    }
}

fn scalar(from: types::Scalar) -> Scalar {
    match from {
        types::Scalar::Null => Scalar::Null,
        types::Scalar::Boolean(value) => Scalar::Boolean(value),
        types::Scalar::Integer(value) => Scalar::Integer(value),
        types::Scalar::Float(value) => Scalar::Float(value),
        types::Scalar::Text(value) => Scalar::Text(value),
    }
}

fn scalars_to_guest(from: &ScalarMap) -> Vec<(String, types::Scalar)> {
    from.iter().map(|(key, value)| (key.clone(), scalar_to_guest(value))).collect()
}

fn scalar_to_guest(from: &Scalar) -> types::Scalar {
    match from {
        Scalar::Null => types::Scalar::Null,
        Scalar::Boolean(value) => types::Scalar::Boolean(*value),
        Scalar::Integer(value) => types::Scalar::Integer(*value),
        Scalar::Float(value) => types::Scalar::Float(*value),
        Scalar::Text(value) => types::Scalar::Text(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_survives_the_way_there_and_back() {
        let cases = [
            vec![],
            vec![("replayId".to_owned(), Scalar::Integer(3826))],
            vec![
                ("a".to_owned(), Scalar::Null),
                ("b".to_owned(), Scalar::Boolean(true)),
                ("c".to_owned(), Scalar::Integer(i64::MIN)),
                ("d".to_owned(), Scalar::Float(-0.5)),
                ("e".to_owned(), Scalar::Text("é".to_owned())),
            ],
        ];
        for case in cases {
            let there = SourceOffset(case);
            assert_eq!(offset(offset_to_guest(&there)), there);
        }
    }

    #[test]
    fn a_payload_is_moved() {
        let value = vec![7_u8; 1000];
        let address = value.as_ptr();
        let moved = record(types::ProducerRecord {
            topic: "t".to_owned(),
            partition: None,
            key: None,
            value: Some(value),
            headers: vec![types::Header { key: "h".to_owned(), value: None }],
            timestamp_ms: Some(1),
        });
        assert_eq!(moved.value.as_deref().map(<[u8]>::as_ptr), Some(address));
        assert_eq!(moved.headers, [Header { key: "h".to_owned(), value: None }]);
    }
}
