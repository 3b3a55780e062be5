//! The answer to `GET /services/data/vXX.0/sobjects/{X}/describe` (REST API Developer Guide, "sObject Describe"): the
//! object's name and its fields, as far as the schema and the PushTopic need them. Everything else is ignored.

use serde::Deserialize;

use super::soql;

/// The most fields that an object may have. Salesforce's own bound is 800 custom fields (900 with packages) beside the
/// standard ones.
pub const FIELDS_MAX: usize = 2_000;

/// A describe answer that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescribeError {
    /// Not JSON, or not of the documented shape. Holds the place alone.
    #[error("the describe answer is not readable (line {line}, column {column}): {problem}")]
    Unreadable {
        /// What is the matter.
        problem: &'static str,
        /// 1 for the first line.
        line: usize,
        /// 1 for the first column.
        column: usize,
    },
    /// More fields than `FIELDS_MAX`.
    #[error("the object has {count} fields; at most {FIELDS_MAX} are supported")]
    TooManyFields {
        /// How many there are.
        count: usize,
    },
    /// A name that is no API name.
    #[error("the describe answer holds an unusable name: {0}")]
    Name(#[from] soql::SoqlError),
    /// Two fields of one name.
    #[error("the describe answer holds the field {name} twice")]
    Duplicate {
        /// The field's name.
        name: String,
    },
    /// No field `Id`.
    #[error("the object {object} has no field Id, so it cannot be the object of a PushTopic")]
    NoId {
        /// The object's name.
        object: String,
    },
}

/// What describe says about an object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Describe {
    /// The object's API name, `Lead`, as Salesforce spells it.
    pub name: String,
    /// Its fields, in describe's order.
    pub fields: Vec<DescribeField>,
}

/// What describe says about a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeField {
    /// The field's API name.
    pub name: String,
    /// Salesforce's type, `string`, `currency` and so on. Open: new releases bring new ones. Empty when describe is
    /// silent.
    #[serde(rename = "type", default, deserialize_with = "null_is_default")]
    pub field_type: String,
    /// Whether null is allowed.
    #[serde(default, deserialize_with = "null_is_default")]
    pub nillable: bool,
    /// Digits after the decimal point, of numbers.
    #[serde(default, deserialize_with = "null_is_default")]
    pub scale: i32,
    /// Digits in all, of numbers.
    #[serde(default, deserialize_with = "null_is_default")]
    pub precision: i32,
    /// The longest text, in characters.
    #[serde(default, deserialize_with = "null_is_default")]
    pub length: u32,
    /// The compound field that this one is a part of: `MailingAddress` for `MailingCity`.
    #[serde(default)]
    pub compound_field_name: Option<String>,
    /// Whether it is a formula or a roll-up summary.
    #[serde(default, deserialize_with = "null_is_default")]
    pub calculated: bool,
    /// The type in Salesforce's SOAP API, `xsd:string`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub soap_type: String,
    /// What kind of text area it is: `plaintextarea`, `richtextarea`.
    #[serde(default)]
    pub extra_type_info: Option<String>,
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Describe {
    /// Reads a describe answer and checks what the rest of the connector relies on: names are API names, no field comes
    /// twice, there is an `Id`.
    ///
    /// # Errors
    /// `DescribeError` says what is the matter with the answer.
    pub fn parse(body: &[u8]) -> Result<Self, DescribeError> {
        let describe: Self = serde_json::from_slice(body).map_err(|error| DescribeError::Unreadable {
            problem: match error.classify() {
                serde_json::error::Category::Data => "a member is missing or of the wrong type",
                serde_json::error::Category::Eof => "it ends too early",
                serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is not JSON",
            },
            line: error.line(),
            column: error.column(),
        })?;
        describe.check()?;
        Ok(describe)
    }

    fn check(&self) -> Result<(), DescribeError> {
        if self.fields.len() > FIELDS_MAX {
            return Err(DescribeError::TooManyFields { count: self.fields.len() });
        }
        soql::identifier(&self.name)?;
        let mut names = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            names.push(soql::identifier(&field.name)?);
        }
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(DescribeError::Duplicate { name: pair[0].to_owned() });
        }
        if names.binary_search(&"Id").is_err() {
            return Err(DescribeError::NoId { object: self.name.clone() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_needed_and_ignores_the_rest() {
        let body = br#"{"actionOverrides":[],"custom":false,"name":"Lead","label":"Lead","keyPrefix":"00Q","fields":[
            {"name":"Id","label":"Lead ID","type":"id","soapType":"tns:ID","length":18,"byteLength":18,"nillable":false,
             "precision":0,"scale":0,"calculated":false,"compoundFieldName":null,"extraTypeInfo":null,"picklistValues":[]},
            {"name":"Street","type":"textarea","length":255,"nillable":true,"compoundFieldName":"Address",
             "extraTypeInfo":"plaintextarea","precision":null},
            {"name":"AnnualRevenue","type":"currency","precision":18,"scale":2},
            {"name":"New__c"}],"urls":{}}"#;
        let describe = Describe::parse(body).expect("a good answer");
        assert_eq!(describe.name, "Lead");
        let [id, street, revenue, new] = &describe.fields[..] else { panic!("four fields") };
        assert_eq!(
            (id.field_type.as_str(), id.length, id.soap_type.as_str(), id.nillable),
            ("id", 18, "tns:ID", false)
        );
        assert_eq!(
            (street.compound_field_name.as_deref(), street.extra_type_info.as_deref()),
            (Some("Address"), Some("plaintextarea"))
        );
        assert_eq!((revenue.precision, revenue.scale), (18, 2));
        assert_eq!(new, &DescribeField { name: "New__c".into(), ..DescribeField::default() });
    }

    #[test]
    fn refuses_what_cannot_be_relied_on() {
        let with = |fields: &str| format!(r#"{{"name":"Lead","fields":[{fields}]}}"#);
        let many = |count: usize| {
            let more: String = (1..count).map(|n| format!(r#",{{"name":"F{n}"}}"#)).collect();
            with(&format!(r#"{{"name":"Id"}}{more}"#))
        };
        let cases = [
            (with(r#"{"name":"Id"}"#), ""),
            (many(FIELDS_MAX), ""),
            (many(FIELDS_MAX + 1), "the object has 2001 fields; at most 2000 are supported"),
            (with(r#"{"name":"Name"}"#), "the object Lead has no field Id, so it cannot be the object of a PushTopic"),
            (with(r#"{"name":"Id"},{"name":"A"},{"name":"A"}"#), "the describe answer holds the field A twice"),
            ("<html>".to_owned(), "the describe answer is not readable (line 1, column 1): it is not JSON"),
            (
                r#"{"name":"Lead""#.to_owned(),
                "the describe answer is not readable (line 1, column 14): it ends too early",
            ),
            (
                r#"{"name":"s3cret","fields":3}"#.to_owned(),
                "the describe answer is not readable (line 1, column 27): a member is missing or of the wrong type",
            ),
        ];
        for (body, expected) in cases {
            let found = Describe::parse(body.as_bytes()).err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(found, expected);
        }
        assert!(matches!(Describe::parse(with(r#"{"name":"a b"}"#).as_bytes()), Err(DescribeError::Name(_))));
    }
}
