//! Which objects a PushTopic can be about (Streaming API Developer Guide, "Supported PushTopic Queries").

/// The standard objects that the guide lists.
const STANDARD: [&str; 18] = [
    "Account",
    "Campaign",
    "Case",
    "Contact",
    "ContractLineItem",
    "Entitlement",
    "Lead",
    "LiveChatTranscript",
    "MessagingSession",
    "Opportunity",
    "Quote",
    "QuoteLineItem",
    "ServiceAppointment",
    "ServiceContract",
    "Task",
    "UserServicePresence",
    "WorkOrder",
    "WorkOrderLineItem",
];

/// Whether the guide says that PushTopics take this object: every custom object, and some standard ones.
#[must_use]
pub fn is_documented(object: &str) -> bool {
    object.ends_with("__c") || STANDARD.iter().any(|name| name.eq_ignore_ascii_case(object))
}

#[cfg(test)]
mod tests {
    use super::is_documented;

    #[test]
    fn custom_objects_and_the_listed_ones() {
        for (object, expected) in [
            ("Lead", true),
            ("lead", true),
            ("Invoice__c", true),
            ("ns__Invoice__c", true),
            ("User", false),
            ("X__e", false),
        ] {
            assert_eq!(is_documented(object), expected, "{object}");
        }
    }
}
