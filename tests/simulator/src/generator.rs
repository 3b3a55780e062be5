//! Made-up records that look real, and a made-up course of business. Implements no document; the values keep to the
//! field types, lengths and encodings of [`crate::objects`].

use serde_json::{Value, json};

use crate::changes::Change;
use crate::objects::{Operation, Record};
use crate::org::Org;

const FIRST: &[&str] = &[
    "Ada",
    "Amina",
    "Björn",
    "Chen",
    "Chloé",
    "Dmitri",
    "Elif",
    "Emeka",
    "Fatima",
    "Grace",
    "Hiroshi",
    "Ingrid",
    "Jamal",
    "José",
    "Katarzyna",
    "Lena",
    "Liam",
    "Mateo",
    "Mei",
    "Nadia",
    "Olu",
    "Priya",
    "Rafael",
    "Saoirse",
    "Sven",
    "Tomás",
    "Wei",
    "Yuki",
    "Zoë",
];
const LAST: &[&str] = &[
    "Adeyemi",
    "Almeida",
    "Andersson",
    "Bauer",
    "Byron",
    "Chen",
    "Costa",
    "Dubois",
    "Fischer",
    "García",
    "Haddad",
    "Hopper",
    "Ivanov",
    "Jansen",
    "Kowalska",
    "Lindqvist",
    "Müller",
    "Nakamura",
    "Novák",
    "O'Brien",
    "Okafor",
    "Patel",
    "Rossi",
    "Schmidt",
    "Tanaka",
    "Yılmaz",
];
const COMPANY: &[&str] = &[
    "Alder & Finch",
    "Bluewater Logistics",
    "Cobalt Instruments",
    "Driftwood Energy",
    "Eastgate Foods",
    "Fjord Robotics",
    "Granite Mutual",
    "Harbour Textiles",
    "Ironbark Mining",
    "Juniper Clinics",
    "Kestrel Avionics",
    "Larkspur Media",
    "Meridian Optics",
    "Northwind Farms",
    "Orchard Street Bank",
    "Pinecrest Homes",
    "Quarry Lane Brewing",
    "Rivermouth Ports",
];
const FORM: &[&str] = &["AB", "GmbH", "Inc.", "Ltd", "LLC", "S.A.", "S.p.A.", "Oy"];
const STREET: &[&str] =
    &["Market Street", "Hauptstraße", "Rue Lafayette", "Via Roma", "Mill Lane", "Calle Mayor", "Storgatan"];
/// City, state, postal code, country, latitude, longitude.
const CITY: &[(&str, &str, &str, &str, f64, f64)] = &[
    ("San Francisco", "CA", "94105", "United States", 37.7911, -122.3946),
    ("Austin", "TX", "78701", "United States", 30.2711, -97.7437),
    ("Graz", "Steiermark", "8010", "Austria", 47.0707, 15.4395),
    ("Lyon", "Auvergne-Rhône-Alpes", "69002", "France", 45.764, 4.8357),
    ("São Paulo", "SP", "01310-100", "Brazil", -23.5614, -46.6559),
    ("Göteborg", "Västra Götaland", "411 06", "Sweden", 57.7089, 11.9746),
    ("Osaka", "Osaka", "530-0001", "Japan", 34.7025, 135.4959),
    ("Lagos", "Lagos", "101241", "Nigeria", 6.455, 3.3841),
];
const TITLE: &[&str] = &["CFO", "Head of Operations", "Plant Manager", "Procurement Lead", "Site Engineer", "VP Sales"];
const STATUS: &[&str] =
    &["Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"];
const INDUSTRY: &[&str] = &["Banking", "Construction", "Education", "Electronics", "Energy", "Healthcare", "Retail"];
const RATING: &[&str] = &["Hot", "Warm", "Cold"];
const PROSE: &str =
    "Met at the trade fair; asked for a quote on the yearly contract and wants a call before the board meets. ";

/// Makes up values, the same ones for the same seed.
#[derive(Debug)]
pub(crate) struct Generator {
    rng: fastrand::Rng,
    number: u64,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed), number: 0 }
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.rng.usize(..of.len())]
    }

    /// The values of a new record. `bytes` > 0 fills a long text so that the record takes about so much.
    pub(crate) fn create(&mut self, object: &str, bytes: usize) -> Record {
        self.number += 1;
        let mut record = match object {
            "Account" => self.account(),
            "Everything__c" => self.everything(),
            _ => self.lead(),
        };
        let room = bytes.saturating_sub(Value::Object(record.clone()).to_string().len());
        if room > 0 {
            let field = if object == "Everything__c" { "LongText__c" } else { "Description" };
            record.insert(field.to_owned(), json!(prose(room)));
        }
        record
    }

    /// The values of a change to a record.
    pub(crate) fn update(&mut self, object: &str) -> Record {
        self.number += 1;
        let rng = self.number;
        let value = match (object, self.rng.u8(..4)) {
            ("Everything__c", _) => json!({"Text__c": format!("change {rng}"), "Double__c": self.amount(6)}),
            ("Account", 0) => json!({"Rating": self.one(RATING)}),
            ("Account", 1) => json!({"AnnualRevenue": self.amount(0), "RiskScore__c": self.rng.f64() * 100.0}),
            ("Account", 2) => json!({"Phone": self.phone(), "Active__c": self.rng.bool()}),
            ("Account", _) => json!({"NumberOfEmployees": self.rng.i32(1..50_000)}),
            (_, 0) => json!({"Status": self.one(STATUS)}),
            (_, 1) => json!({"Rating": self.one(RATING), "IsUnreadByOwner": false}),
            (_, 2) => json!({"Title": self.one(TITLE), "Phone": self.phone()}),
            (_, _) => json!({"AnnualRevenue": self.amount(0)}),
        };
        into_record(value)
    }

    fn account(&mut self) -> Record {
        let name = format!("{} {}", self.one(COMPANY), self.one(FORM));
        let value = json!({
            "Name": name, "Type": "Prospect", "Phone": self.phone(), "Industry": self.one(INDUSTRY),
            "Website": format!("https://www.{}.example", slug(&name)), "AnnualRevenue": self.amount(0),
            "NumberOfEmployees": self.rng.i32(1..50_000), "Rating": self.one(RATING), "Active__c": self.rng.bool(),
            "AccountNumber": format!("AC-{:06}", self.number),
        });
        let mut record = into_record(value);
        self.address(&mut record, |part| format!("Billing{part}"));
        record
    }

    fn lead(&mut self) -> Record {
        let (first, last) = (self.one(FIRST), self.one(LAST));
        let company = format!("{} {}", self.one(COMPANY), self.one(FORM));
        let email = format!("{}.{}@{}.example", slug(first), slug(last), slug(&company));
        let value = json!({
            "FirstName": first, "LastName": last, "Company": company, "Email": email, "Title": self.one(TITLE),
            "Phone": self.phone(), "Status": STATUS[0], "Industry": self.one(INDUSTRY), "Rating": self.one(RATING),
            "LeadSource": "Web", "AnnualRevenue": self.amount(0), "NumberOfEmployees": self.rng.i32(1..50_000),
            "IsUnreadByOwner": true,
        });
        let mut record = into_record(value);
        self.address(&mut record, str::to_owned);
        record
    }

    fn everything(&mut self) -> Record {
        let day = self.rng.u8(1..=28);
        let value = json!({
            "Text__c": format!("\"quoted\", back\\slash, tab\t, {} ☃ 😀", self.number),
            "ExternalKey__c": format!("key-{:08}", self.number), "Picklist__c": "Green",
            "Multipicklist__c": "North;West", "Combobox__c": "Call", "Checkbox__c": self.rng.bool(),
            "Currency__c": self.amount(2), "TextArea__c": "two\nlines", "LongText__c": PROSE.trim_end(),
            "RichText__c": "<p>rich &amp; <b>bold</b></p>", "Int__c": self.rng.i32(-1_000_000..1_000_000),
            "Long__c": 9_007_199_254_740_993_i64 + i64::from(self.rng.u16(..)), "Double__c": self.amount(6),
            "Percent__c": 12.5, "Phone__c": self.phone(), "Date__c": format!("2026-02-{day:02}"),
            "Datetime__c": format!("2026-02-{day:02}T23:59:59.007Z"), "Time__c": "13:37:00.000Z",
            "Url__c": "https://tributary.example/?a=1&b=2", "Email__c": "ada@tributary.example",
            "Attachment__c": "AAECAwQFBgc=", "Encrypted__c": "4111-1111", "Location__Latitude__s": 47.0707,
            "Location__Longitude__s": 15.4395,
        });
        let mut record = into_record(value);
        self.address(&mut record, |part| {
            let part = match part {
                "State" | "Country" => format!("{part}Code"),
                _ => part.to_owned(),
            };
            format!("Address__{part}__s")
        });
        record
    }

    fn address(&mut self, record: &mut Record, name: impl Fn(&str) -> String) {
        let (city, state, postal_code, country, latitude, longitude) = CITY[self.rng.usize(..CITY.len())];
        let street = format!("{} {}", self.rng.u16(1..400), self.one(STREET));
        for (part, value) in [
            ("Street", json!(street)),
            ("City", json!(city)),
            ("State", json!(state)),
            ("PostalCode", json!(postal_code)),
            ("Country", json!(country)),
            ("Latitude", json!(latitude)),
            ("Longitude", json!(longitude)),
        ] {
            record.insert(name(part), value);
        }
    }

    fn phone(&mut self) -> String {
        format!("+1 555 {:03} {:04}", self.rng.u16(..1_000), self.rng.u16(..10_000))
    }

    fn amount(&mut self, decimals: i32) -> f64 {
        let unit = 10_f64.powi(decimals);
        self.rng.i64(1_000..90_000_000) as f64 / unit
    }
}

impl Org {
    /// Carries out one plausible change of one of these objects: most often an update, now and then a new record, a deletion
    /// or a return from the recycle bin.
    pub(crate) fn make_up_change(&mut self, objects: &[String]) -> Change {
        let object = objects.get(self.rng.usize(..objects.len().max(1))).map_or("Lead", String::as_str).to_owned();
        let live = self.store.live_count(&object);
        let roll = self.rng.u8(..100);
        let crowded = live >= self.config.demo_records_max;
        let operation = match roll {
            _ if live < 5 => Operation::Created,
            0..30 if crowded => Operation::Deleted,
            0..30 => Operation::Created,
            30..38 => Operation::Deleted,
            38..42 if self.store.any_in_bin(&object, &mut self.rng).is_some() => Operation::Undeleted,
            _ => Operation::Updated,
        };
        Change { object, operation, ..Change::default() }
    }
}

/// So many bytes of plain ASCII text.
pub(crate) fn prose(bytes: usize) -> String {
    PROSE.chars().cycle().take(bytes.min(32_000)).collect()
}

fn into_record(value: Value) -> Record {
    match value {
        Value::Object(record) => record,
        _ => Record::new(),
    }
}

fn slug(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}
