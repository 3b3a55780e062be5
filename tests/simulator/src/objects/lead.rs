//! The standard object Lead, as far as a streaming client meets it. Implements the describe section (2.6) of the
//! Salesforce facts page.

use super::field::{Access, Field, FieldType};
use super::{ObjectType, address, head, system};

pub(super) const INDUSTRIES: &[&str] = &[
    "Agriculture",
    "Banking",
    "Construction",
    "Education",
    "Electronics",
    "Energy",
    "Finance",
    "Healthcare",
    "Retail",
];
const STATUSES: &[&str] =
    &["Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"];
const PARTS: [&str; 8] =
    ["Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy"];

/// The object's describe data.
pub(super) fn lead() -> ObjectType {
    use FieldType::{Boolean, Currency, Date, Datetime, Email, Int, Phone, Picklist, Reference, String, Textarea, Url};
    let mut fields = head("Name", "Full Name");
    fields[2] = fields[2].clone().length(121).access(Access::System);
    fields.extend([
        Field::new("MasterRecordId", "Master Record ID", Reference).refers(&["Lead"]).access(Access::System),
        Field::new("LastName", "Last Name", String).length(80).required().part_of("Name"),
        Field::new("FirstName", "First Name", String).length(40).part_of("Name"),
        Field::new("Salutation", "Salutation", Picklist)
            .length(40)
            .values(&["Mr.", "Ms.", "Dr.", "Prof."])
            .part_of("Name"),
        Field::new("Title", "Title", String).length(128),
        Field::new("Company", "Company", String).required(),
    ]);
    fields.extend(address("Address", &PARTS));
    fields.extend([
        Field::new("Phone", "Phone", Phone),
        Field::new("MobilePhone", "Mobile Phone", Phone),
        Field::new("Email", "Email", Email),
        Field::new("Website", "Website", Url),
        Field::new("Description", "Lead Description", Textarea).length(32_000),
        Field::new("LeadSource", "Lead Source", Picklist).values(&[
            "Web",
            "Phone Inquiry",
            "Partner Referral",
            "Other",
        ]),
        Field::new("Status", "Status", Picklist).required().values(STATUSES),
        Field::new("Industry", "Industry", Picklist).values(INDUSTRIES),
        Field::new("Rating", "Rating", Picklist).values(&["Hot", "Warm", "Cold"]),
        Field::new("AnnualRevenue", "Annual Revenue", Currency).number(18, 0),
        Field::new("NumberOfEmployees", "Employees", Int).number(8, 0),
        Field::new("OwnerId", "Owner ID", Reference).refers(&["Group", "User"]),
        Field::new("IsConverted", "Converted", Boolean).required(),
        Field::new("ConvertedDate", "Converted Date", Date).access(Access::System),
        Field::new("IsUnreadByOwner", "Unread By Owner", Boolean).required(),
        Field::new("LastViewedDate", "Last Viewed Date", Datetime).access(Access::System),
        Field::new("Jigsaw", "Data.com Key", String).length(20),
        Field::new("EmailBouncedReason", "Email Bounced Reason", String).access(Access::System),
        Field::new("EmailBouncedDate", "Email Bounced Date", Datetime).access(Access::System),
    ]);
    fields.extend(system());
    ObjectType { name: "Lead", label: "Lead", label_plural: "Leads", key_prefix: "00Q", streamable: true, fields }
}
