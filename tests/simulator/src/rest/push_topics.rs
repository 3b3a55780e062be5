//! Creating, changing and deleting PushTopics. Implements section 2.3 of the Salesforce facts page.

use serde_json::json;

use super::RestError;
use crate::exchange::Response;
use crate::id;
use crate::objects::Record;
use crate::org::Org;
use crate::push_topic::{Draft, PushTopic};
use crate::replay::TopicLog;

impl Org {
    pub(crate) fn create_push_topic(&mut self, body: &Record) -> Result<Response, RestError> {
        let draft = Draft::read(&self.store, body, None)?;
        self.check_unique(&draft.name, None)?;
        self.check_cap(draft.is_active)?;
        let id = self.store.new_id("PushTopic");
        let topic = PushTopic {
            id: id.as_str().into(),
            name: draft.name.into(),
            query: draft.query,
            api_version: draft.api_version,
            is_active: draft.is_active,
            description: draft.description,
            fields: draft.fields,
            operations: draft.operations,
            created_ms: self.now_ms,
            modified_ms: self.now_ms,
            compiled: draft.compiled,
            log: TopicLog::default(),
        };
        self.topics.insert(topic.id.clone(), topic);
        Ok(Response::json(201, &json!({"id": id, "success": true, "errors": []})))
    }

    pub(crate) fn update_push_topic(&mut self, id: &str, body: &Record) -> Result<Response, RestError> {
        let id = id::canonical(id).ok_or_else(RestError::not_found)?;
        let present = self.topics.get(&*id).ok_or_else(RestError::not_found)?;
        let was_active = present.is_active;
        let draft = Draft::read(&self.store, body, Some(present))?;
        self.check_unique(&draft.name, Some(&id))?;
        self.check_cap(draft.is_active && !was_active)?;
        let now_ms = self.now_ms;
        if let Some(topic) = self.topics.get_mut(&*id) {
            topic.apply(draft, now_ms);
        }
        Ok(Response::empty(204))
    }

    pub(crate) fn delete_push_topic(&mut self, id: &str) -> Result<Response, RestError> {
        let id = id::canonical(id).ok_or_else(RestError::not_found)?;
        let topic = self.topics.remove(&*id).ok_or_else(RestError::not_found)?;
        let channel = topic.channel();
        for session in self.sessions.values_mut() {
            session.subscriptions.remove(&channel);
        }
        Ok(Response::empty(204))
    }

    fn check_unique(&self, name: &str, own: Option<&str>) -> Result<(), RestError> {
        let twin = self.topics.values().find(|topic| topic.name.eq_ignore_ascii_case(name) && Some(&*topic.id) != own);
        twin.map_or(Ok(()), |twin| {
            let text = format!("duplicate value found: Name duplicates value on record with id: {}", twin.id);
            Err(RestError::bad("DUPLICATE_VALUE", text))
        })
    }

    fn check_cap(&self, one_more: bool) -> Result<(), RestError> {
        let active = self.topics.values().filter(|topic| topic.is_active).count();
        if one_more && active >= self.config.push_topics_max {
            let text = format!("the limit of {} active PushTopics is reached", self.config.push_topics_max);
            return Err(RestError::bad("LIMIT_EXCEEDED", text));
        }
        Ok(())
    }
}
