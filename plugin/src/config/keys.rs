//! The one table of this connector's settings: names, defaults and ranges of Confluent's managed and self-managed
//! PushTopic source connectors. The host's own settings (`name`, `tasks.max`, `producer.override.*` and so on) are not
//! here.

use super::def::{Effect, Importance, Key, Type, Validator, Width};

/// `connector.class` of the managed connector.
pub const CLASS_MANAGED: &str = "SalesforcePushTopicSource";
/// `connector.class` of the self-managed connector.
pub const CLASS_SELF_MANAGED: &str = "io.confluent.salesforce.SalesforcePushTopicSourceConnector";
/// Every `connector.class` that means this connector, the proper one first.
pub const CLASSES: &[&str] = &[CLASS_MANAGED, CLASS_SELF_MANAGED, "io.confluent.salesforce.SalesforceSourceConnector"];

/// Where the connector means to connect when the runtime has no list of its own.
pub const NETWORK: &[&str] = &[
    "https://login.salesforce.com",
    "https://test.salesforce.com",
    "https://*.my.salesforce.com",
    "https://*.salesforce.com",
];

const LOGIN: &str = "Salesforce login";
const PUSH_TOPIC: &str = "PushTopic";
const CONNECTION: &str = "Connection";
const OUTPUT: &str = "Output";
const IGNORED: &str = "Accepted without effect";
const REFUSED: &str = "Refused when set";
const JSON_CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";

/// The bounds of `connection.max.message.size`, in bytes.
const RESPONSE_BYTES: Validator = Validator::Range(65_536, 1_073_741_824);

const BASE: Key = Key {
    name: "",
    kind: Type::String,
    default: None,
    default_self_managed: None,
    required: false,
    importance: Importance::Medium,
    validator: Validator::Any,
    group: LOGIN,
    width: Width::Medium,
    display_name: "",
    dependents: &[],
    effect: Effect::Used,
    documentation: "",
};

const LOW: Key = Key { importance: Importance::Low, width: Width::Short, ..BASE };
const HIGH: Key = Key { importance: Importance::High, ..BASE };

const fn ignored(name: &'static str, kind: Type, why: &'static str) -> Key {
    Key { name, kind, group: IGNORED, display_name: name, effect: Effect::Ignored(why), documentation: why, ..LOW }
}

const fn refused(name: &'static str, why: &'static str) -> Key {
    Key { name, group: REFUSED, display_name: name, effect: Effect::Refused(why), documentation: why, ..LOW }
}

const fn notify(name: &'static str, display_name: &'static str, documentation: &'static str) -> Key {
    Key { name, kind: Type::Boolean, default: Some("true"), group: PUSH_TOPIC, display_name, documentation, ..LOW }
}

const fn flag(
    name: &'static str,
    default: &'static str,
    display_name: &'static str,
    documentation: &'static str,
) -> Key {
    Key { name, kind: Type::Boolean, default: Some(default), group: OUTPUT, display_name, documentation, ..LOW }
}

const fn converter(name: &'static str, display_name: &'static str, documentation: &'static str) -> Key {
    let validator = Validator::OneOf(&[JSON_CONVERTER]);
    Key {
        name,
        kind: Type::Class,
        default: Some(JSON_CONVERTER),
        validator,
        group: OUTPUT,
        width: Width::Long,
        display_name,
        documentation,
        ..LOW
    }
}

/// Every setting, in the order in which tables show them.
pub const KEYS: &[Key] = &[
    Key {
        name: "connector.class",
        kind: Type::Class,
        default: Some(CLASS_MANAGED),
        validator: Validator::OneOf(CLASSES),
        group: OUTPUT,
        width: Width::Long,
        display_name: "Connector class",
        documentation: "Which connector this is. The self-managed class name also selects that connector's defaults where they differ from the managed one's.",
        ..HIGH
    },
    Key {
        name: "salesforce.grant.type",
        default: Some("PASSWORD"),
        validator: Validator::OneOf(&["PASSWORD"]),
        width: Width::Short,
        display_name: "Grant type",
        dependents: &[
            "salesforce.username",
            "salesforce.password",
            "salesforce.password.token",
            "salesforce.consumer.secret",
        ],
        documentation: "OAuth grant with which the connector logs in. This version speaks the username-password grant; orgs made since Summer '23 block it until an administrator allows it.",
        ..HIGH
    },
    Key {
        name: "salesforce.instance",
        default: Some("https://login.salesforce.com"),
        validator: Validator::Origin,
        width: Width::Long,
        display_name: "Login host",
        documentation: "Where to log in: `https://login.salesforce.com`, `https://test.salesforce.com` for a sandbox, or better the org's My Domain, `https://NAME.my.salesforce.com`. The instance to talk to afterwards comes from the answer.",
        ..HIGH
    },
    Key {
        name: "salesforce.username",
        display_name: "User name",
        documentation: "The user on whose behalf events are read. Needs read access to PushTopic and to the object.",
        ..HIGH
    },
    Key {
        name: "salesforce.password",
        kind: Type::Password,
        display_name: "Password",
        documentation: "That user's password.",
        ..HIGH
    },
    Key {
        name: "salesforce.password.token",
        kind: Type::Password,
        display_name: "Security token",
        documentation: "That user's security token, sent right after the password. May be left out where the connector's address is in a trusted IP range of the org.",
        ..HIGH
    },
    Key {
        name: "salesforce.consumer.key",
        kind: Type::Password,
        required: true,
        width: Width::Long,
        display_name: "Consumer key",
        documentation: "Consumer key (client id) of the connected app.",
        ..HIGH
    },
    Key {
        name: "salesforce.consumer.secret",
        kind: Type::Password,
        width: Width::Long,
        display_name: "Consumer secret",
        documentation: "Consumer secret of the connected app. May be left out where the app does not ask for it.",
        ..BASE
    },
    Key {
        name: "salesforce.object",
        required: true,
        validator: Validator::ApiName,
        group: PUSH_TOPIC,
        display_name: "Object",
        documentation: "API name of the object whose changes are carried, `Lead` or `Invoice__c`. Its describe gives the records their schema.",
        ..HIGH
    },
    Key {
        name: "salesforce.push.topic.name",
        required: true,
        validator: Validator::Length(crate::salesforce::push_topic::NAME_CHARS_MAX),
        group: PUSH_TOPIC,
        display_name: "PushTopic name",
        documentation: "Name of the PushTopic, at most 25 characters, upper and lower case as in Salesforce.",
        ..HIGH
    },
    Key {
        name: "salesforce.push.topic.create",
        kind: Type::Boolean,
        default: Some("true"),
        group: PUSH_TOPIC,
        display_name: "Create the PushTopic",
        dependents: &[
            "salesforce.push.topic.notify.create",
            "salesforce.push.topic.notify.update",
            "salesforce.push.topic.notify.delete",
            "salesforce.push.topic.notify.undelete",
        ],
        documentation: "Create the PushTopic when there is none of that name, with every field of the object that PushTopics allow. One that exists is never changed.",
        ..LOW
    },
    notify(
        "salesforce.push.topic.notify.create",
        "Notify of creates",
        "Whether a PushTopic created by the connector tells of new records.",
    ),
    notify(
        "salesforce.push.topic.notify.update",
        "Notify of updates",
        "Whether a PushTopic created by the connector tells of changed records.",
    ),
    notify(
        "salesforce.push.topic.notify.delete",
        "Notify of deletes",
        "Whether a PushTopic created by the connector tells of deleted records.",
    ),
    notify(
        "salesforce.push.topic.notify.undelete",
        "Notify of undeletes",
        "Whether a PushTopic created by the connector tells of records taken out of the bin.",
    ),
    Key {
        name: "salesforce.initial.start",
        default: Some("latest"),
        validator: Validator::OneOf(&["latest", "all"]),
        group: PUSH_TOPIC,
        width: Width::Short,
        display_name: "Initial start",
        documentation: "Where to begin when no offset is stored: `latest`, with events from now on, or `all`, with everything that Salesforce still retains (24 hours). A stored offset wins over it.",
        ..BASE
    },
    Key {
        name: "salesforce.version",
        default: Some("latest"),
        validator: Validator::ApiVersion,
        group: CONNECTION,
        display_name: "API version",
        documentation: "API version for REST and CometD, `67.0`, or `latest` for the newest that the org offers.",
        ..LOW
    },
    Key {
        name: "connection.timeout",
        kind: Type::Long,
        default: Some("30000"),
        validator: Validator::Range(5_000, 600_000),
        group: CONNECTION,
        display_name: "Connection time-out (ms)",
        documentation: "Milliseconds allowed for each phase of a request: to connect, to the head of the answer, between two parts of its body. A long poll may be held for as long as Salesforce says (110 s), and 15 s more.",
        ..LOW
    },
    Key {
        name: "request.max.retries.time.ms",
        kind: Type::Long,
        default: Some("30000"),
        default_self_managed: Some("900000"),
        validator: Validator::Range(1_000, i64::MAX),
        group: CONNECTION,
        display_name: "Retry time (ms)",
        documentation: "Milliseconds during which a failing request or a lost session is tried again, with growing waits, before the task fails. A quota that is used up is waited for without this limit.",
        ..LOW
    },
    Key {
        name: "connection.max.message.size",
        kind: Type::Int,
        default: Some("16777216"),
        validator: RESPONSE_BYTES,
        group: CONNECTION,
        display_name: "Largest answer (bytes)",
        documentation: "Largest answer that is read, in bytes, before and after decompression. Beyond 16 MiB raise `tributary.instance.memory.max.bytes` to four times this.",
        ..LOW
    },
    Key {
        name: "kafka.topic",
        required: true,
        validator: Validator::TopicTemplate,
        group: OUTPUT,
        display_name: "Kafka topic",
        documentation: "The topic to write to. `${_ObjectType}`, `${_EventType}` and `${Field}` are replaced by values of the record: `salesforce.${_ObjectType}.${_EventType}`.",
        ..HIGH
    },
    Key {
        default_self_managed: Some("true"),
        ..flag(
            "kafka.topic.lowercase",
            "false",
            "Topic in lower case",
            "Whether the topic's name is turned into lower case.",
        )
    },
    Key {
        name: "output.data.format",
        default: Some("JSON"),
        validator: Validator::OneOf(&["JSON"]),
        group: OUTPUT,
        width: Width::Short,
        display_name: "Output format",
        documentation: "Format of the record's value. This version writes JSON without schemas, byte for byte as Kafka Connect's JsonConverter does.",
        ..HIGH
    },
    converter("key.converter", "Key converter", "Converter of the record's key. This version has the JsonConverter."),
    converter(
        "value.converter",
        "Value converter",
        "Converter of the record's value. This version has the JsonConverter.",
    ),
    Key {
        validator: Validator::OneOf(&["false"]),
        ..flag(
            "key.converter.schemas.enable",
            "false",
            "Schemas in keys",
            "This version writes keys without a schema envelope.",
        )
    },
    Key {
        validator: Validator::OneOf(&["false"]),
        ..flag(
            "value.converter.schemas.enable",
            "false",
            "Schemas in values",
            "This version writes values without a schema envelope.",
        )
    },
    Key {
        name: "value.converter.decimal.format",
        default: Some("BASE64"),
        validator: Validator::OneOf(&["BASE64", "NUMERIC"]),
        group: OUTPUT,
        display_name: "Decimals in values",
        documentation: "How values of the logical type Decimal are written: the base64 of their bytes, or a JSON number.",
        ..LOW
    },
    flag(
        "value.converter.replace.null.with.default",
        "true",
        "Defaults for nulls in values",
        "Whether a null is written as the field's default where its schema has one. The schemas made from a describe have none.",
    ),
    ignored(
        "salesforce.jwt.keystore.file",
        Type::Password,
        "It belongs to the JWT_BEARER grant, which this version does not speak.",
    ),
    ignored(
        "salesforce.jwt.keystore.path",
        Type::String,
        "It belongs to the JWT_BEARER grant, which this version does not speak.",
    ),
    ignored(
        "salesforce.jwt.keystore.password",
        Type::Password,
        "It belongs to the JWT_BEARER grant, which this version does not speak.",
    ),
    ignored("salesforce.auth.retries.time.ms", Type::Long, "Logins are retried within request.max.retries.time.ms."),
    ignored(
        "http.proxy",
        Type::String,
        "The runtime makes the connections: set tributary.network.proxy in the worker file.",
    ),
    ignored(
        "curl.logging",
        Type::Boolean,
        "It would write the access token to the log; --log-level debug shows what happens without it.",
    ),
    ignored("regex.timeout.ms", Type::Long, "No regular expression is evaluated in this version."),
    ignored("confluent.license", Type::Password, "No licence is needed."),
    ignored("confluent.topic.bootstrap.servers", Type::String, "No licence is needed, so there is no licence topic."),
    ignored("confluent.topic.replication.factor", Type::Int, "No licence is needed, so there is no licence topic."),
    ignored("confluent.topic", Type::String, "No licence is needed, so there is no licence topic."),
    ignored("datapreview.schemas.enable", Type::Boolean, "It concerns the preview in Confluent Cloud's console."),
    ignored("header.converter", Type::Class, "The records have no headers."),
    ignored("errors.tolerance", Type::String, "An event that cannot be converted ends the task; none is skipped."),
    ignored(
        "errors.retry.timeout",
        Type::Long,
        "What is worth another try is tried within request.max.retries.time.ms.",
    ),
    ignored("errors.retry.delay.max.ms", Type::Long, "The waits between tries grow to 30 s."),
    ignored("errors.log.enable", Type::Boolean, "Errors are always logged."),
    ignored("errors.log.include.messages", Type::Boolean, "The log never holds the content of records."),
    refused("transforms", "This version has no single message transforms."),
    refused("predicates", "This version has no single message transforms, and so no predicates."),
];

/// The definition of a setting.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        for (index, key) in KEYS.iter().enumerate() {
            assert!(KEYS[..index].iter().all(|other| other.name != key.name), "{} occurs twice", key.name);
            assert!(!key.documentation.is_empty() && !key.display_name.is_empty(), "{} lacks words", key.name);
            assert!(!(key.required && key.default.is_some()), "{} is required and has a default", key.name);
            for default in [key.default, key.default_self_managed].into_iter().flatten() {
                assert_eq!(key.kind.check(default), Ok(()), "{}", key.name);
                assert_eq!(key.validator.check(default), Ok(()), "{}", key.name);
            }
            for dependent in key.dependents {
                assert!(find(dependent).is_some(), "{} names {dependent}", key.name);
            }
        }
    }

    #[test]
    fn everything_secret_is_a_password() {
        let secret = ["password", "secret", "consumer.key", "keystore.file", "license", "password.token"];
        for key in KEYS.iter().filter(|key| secret.iter().any(|word| key.name.ends_with(word))) {
            assert_eq!(key.kind, Type::Password, "{}", key.name);
        }
    }
}
