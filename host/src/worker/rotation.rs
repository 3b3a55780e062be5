//! After a refused login: has a secret been rotated meanwhile? References of the configuration (`${file:...}`) are
//! resolved again and files that settings name are read again. Only when something changed is another login worth a
//! try; as long as nothing did, none is made, however often it is looked.

use super::{settings::component_settings, state::Ending};
use crate::{
    config::{ConnectorConfig, Security, WorkerConfig},
    engine::{Description, FailureKind},
    sink::SinkError,
};

/// Whether other secrets could help after this ending: the far side refused the login, or Kafka did.
pub(super) fn could_help(ending: &Ending) -> bool {
    match ending {
        Ending::Failure(failure) => failure.kind == FailureKind::Auth,
        Ending::Sink(SinkError::Refused(_)) => true,
        _ => false,
    }
}

/// Whether what the refused login was made of stands outside the configuration, so that it can change. The worker's own
/// secrets matter to Kafka alone.
pub(super) fn can_change(
    description: &Description,
    worker: &WorkerConfig,
    connector: &ConnectorConfig,
    ending: &Ending,
) -> bool {
    let is_file = |name: &str| description.config.iter().any(|setting| setting.is_file && setting.name == name);
    connector.references.is_some()
        || (worker.references.is_some() && matches!(ending, Ending::Sink(_)))
        || connector.component_properties.iter().any(|(name, value)| is_file(name) && !value.is_empty())
}

/// The configuration with what it names as it is now, if that differs from what the last life had: `settings`, and `login`
/// for the worker's at Kafka. What
/// cannot be read now counts as unchanged: a rotation may be half done.
pub(super) fn renewed(
    description: &Description,
    worker: &WorkerConfig,
    connector: &ConnectorConfig,
    settings: &[(String, String)],
    login: Option<&Security>,
) -> Option<ConnectorConfig> {
    if let Some(renewed) = connector.renewed(worker).ok()? {
        return Some(renewed);
    }
    let changed =
        component_settings(description, connector).ok()? != settings || worker.security_now().as_ref() != login;
    changed.then(|| connector.clone())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use super::*;
    use crate::{engine::Failure, worker::settings::tests::description as test_description};

    #[test]
    fn only_a_refused_login_makes_secrets_worth_a_look() {
        let failure =
            |kind| Ending::Failure(Failure { kind, code: String::new(), message: String::new(), retry_after_ms: None });
        for (ending, expected) in [
            (failure(FailureKind::Auth), true),
            (failure(FailureKind::Config), false),
            (failure(FailureKind::OffsetLost), false),
            (Ending::Sink(SinkError::Refused(String::new())), true),
            (Ending::Sink(SinkError::Unavailable(String::new())), false),
            (Ending::Stopped, false),
        ] {
            assert_eq!(could_help(&ending), expected, "{ending:?}");
        }
    }

    #[test]
    fn a_change_on_disk_is_seen_once() {
        let directory = tempfile::tempdir().unwrap();
        let (secret, key) = (directory.path().join("s.properties"), directory.path().join("key.p12"));
        let file = directory.path().join("connector.json");
        std::fs::write(&secret, "password=old").unwrap();
        std::fs::write(&key, "key").unwrap();
        let text = format!(
            r#"{{"name":"n","connector.class":"C","password":"${{file:{}:password}}","keystore":"{}"}}"#,
            secret.display(),
            key.display()
        );
        std::fs::write(&file, text).unwrap();
        let (worker, description) = (WorkerConfig::default(), test_description());
        let connector = ConnectorConfig::load(&file, &worker).unwrap().value;
        let auth = Ending::Sink(SinkError::Refused(String::new()));
        assert!(can_change(&description, &worker, &connector, &auth));
        let settings = component_settings(&description, &connector).unwrap();
        let look = |connector: &ConnectorConfig, settings: &[(String, String)]| {
            renewed(&description, &worker, connector, settings, None)
        };
        assert!(look(&connector, &settings).is_none(), "nothing changed");
        // What else is written into the connector's file meanwhile has to wait for a new start.
        std::fs::write(&file, "{}").unwrap();
        std::fs::remove_file(&secret).unwrap();
        assert!(look(&connector, &settings).is_none(), "a rotation may be half done");
        std::fs::write(&secret, "password=new").unwrap();
        let changed = look(&connector, &settings).unwrap();
        let password = changed.properties.iter().find(|(name, _)| name == "password");
        assert_eq!(password.map(|(_, value)| value.as_str()), Some("new"));
        let settings = component_settings(&description, &changed).unwrap();
        assert!(look(&changed, &settings).is_none());
        std::fs::write(&key, "other").unwrap();
        assert!(look(&changed, &settings).is_some(), "a file that a setting names");
        let plain = ConnectorConfig { references: None, component_properties: vec![], ..changed };
        assert!(!can_change(&description, &worker, &plain, &auth));
    }
}
