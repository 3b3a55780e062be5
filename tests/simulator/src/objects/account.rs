//! The standard object Account, as far as a streaming client meets it. Implements the describe section (2.6) of the
//! Salesforce facts page.

use super::field::{Access, Field, FieldType};
use super::{ObjectType, address, head, system};

/// The object's describe data.
pub(super) fn account() -> ObjectType {
    use FieldType::{Boolean, Currency, Double, Int, Phone, Picklist, Reference, String, Textarea, Url};
    let mut fields = head("Name", "Account Name");
    fields.extend([
        Field::new("MasterRecordId", "Master Record ID", Reference).refers(&["Account"]).access(Access::System),
        Field::new("Type", "Account Type", Picklist).values(&["Prospect", "Customer - Direct", "Other"]),
        Field::new("ParentId", "Parent Account ID", Reference).refers(&["Account"]),
    ]);
    fields.extend(address("BillingAddress", &BILLING));
    fields.extend(address("ShippingAddress", &SHIPPING));
    fields.extend([
        Field::new("Phone", "Account Phone", Phone),
        Field::new("Fax", "Account Fax", Phone),
        Field::new("AccountNumber", "Account Number", String).length(40),
        Field::new("Website", "Website", Url),
        Field::new("Sic", "SIC Code", String).length(20),
        Field::new("Industry", "Industry", Picklist).values(super::lead::INDUSTRIES),
        Field::new("AnnualRevenue", "Annual Revenue", Currency).number(18, 0),
        Field::new("NumberOfEmployees", "Employees", Int).number(8, 0),
        Field::new("Ownership", "Ownership", Picklist).values(&["Public", "Private", "Subsidiary", "Other"]),
        Field::new("TickerSymbol", "Ticker Symbol", String).length(20),
        Field::new("Description", "Account Description", Textarea).length(32_000),
        Field::new("Rating", "Account Rating", Picklist).values(&["Hot", "Warm", "Cold"]),
        Field::new("Site", "Account Site", String).length(80),
        Field::new("Active__c", "Active", Boolean).required(),
        Field::new("OpenValue__c", "Open Value", Currency).number(18, 2).access(Access::RollUp),
        Field::new("RiskScore__c", "Risk Score", Double).number(5, 2),
    ]);
    fields.extend(system());
    ObjectType {
        name: "Account",
        label: "Account",
        label_plural: "Accounts",
        key_prefix: "001",
        streamable: true,
        fields,
    }
}

const BILLING: [&str; 8] = [
    "BillingStreet",
    "BillingCity",
    "BillingState",
    "BillingPostalCode",
    "BillingCountry",
    "BillingLatitude",
    "BillingLongitude",
    "BillingGeocodeAccuracy",
];
const SHIPPING: [&str; 8] = [
    "ShippingStreet",
    "ShippingCity",
    "ShippingState",
    "ShippingPostalCode",
    "ShippingCountry",
    "ShippingLatitude",
    "ShippingLongitude",
    "ShippingGeocodeAccuracy",
];
