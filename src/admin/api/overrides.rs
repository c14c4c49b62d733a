//! Operators' words: set, taken back, listed.

use std::{str::FromStr, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use crate::{
    admin::Surface,
    config::parse_duration,
    control::{Action, CommandError, Override},
    fleet::{Address, BasisPoints, Subject},
};

/// What an override is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SubjectName {
    /// A region's front door; draining it drains the region.
    Region(Arc<str>),
    /// One origin.
    Origin {
        /// Of which pool.
        pool: Arc<str>,
        /// Where it listens.
        address: Address,
    },
}

impl FromStr for SubjectName {
    type Err = String;

    /// A region, or an origin as `POOL/ADDRESS`.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((pool, address)) = text.split_once('/') else { return Ok(Self::Region(text.into())) };
        let address: Address = address.parse().map_err(|error| {
            format!(
                "`{address}` is no address of an origin: {error}\nhint: name a region, or an origin as POOL/ADDRESS\n"
            )
        })?;
        Ok(Self::Origin { pool: pool.into(), address })
    }
}

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionName {
    /// It works, whatever checks say.
    Up,
    /// It does not, whatever checks say.
    Down,
    /// No new work.
    Drain,
    /// Less and less, for a time such as `10m`, and then no new work.
    Evacuate(String),
    /// This share of its configured weight, in percent.
    Weight(f64),
}

/// A request to clear whatever was set about a subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearRequest {
    /// About what.
    pub subject: SubjectName,
    /// Who wants it.
    pub author: String,
    /// Why.
    pub reason: String,
}

/// A request to set an override.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideRequest {
    /// About what.
    pub subject: SubjectName,
    /// What is wanted.
    pub action: ActionName,
    /// Who wants it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// For how long, such as `2h`; until cleared where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
}

/// An override that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptOverride {
    subject: SubjectName,
    action: ActionName,
    author: String,
    reason: String,
    /// Seconds since 1970.
    created: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    /// Its subject does not exist now.
    is_inert: bool,
}

/// A call that was not carried out.
#[derive(Debug)]
pub(in crate::admin) struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(serde_json::json!({ "status": self.0.as_u16(), "detail": self.1 }))).into_response()
    }
}

impl From<JsonRejection> for Refused {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        let status = match &error {
            CommandError::UnknownSubject(_) | CommandError::NoOverride(_) => StatusCode::NOT_FOUND,
            CommandError::TooManyOverrides(_) => StatusCode::INSUFFICIENT_STORAGE,
            CommandError::NotKept(_) => StatusCode::INTERNAL_SERVER_ERROR,
            CommandError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, error.to_string())
    }
}

type Called<T> = Result<Json<T>, JsonRejection>;
type Surfaced = State<Arc<Surface>>;

/// `GET /v1/overrides`.
pub(in crate::admin) async fn overrides(State(surface): Surfaced) -> Json<Vec<KeptOverride>> {
    Json(surface.control.overrides().iter().map(KeptOverride::from).collect())
}

/// `PUT /v1/overrides`.
pub(in crate::admin) async fn set_override(
    State(surface): Surfaced,
    called: Called<OverrideRequest>,
) -> Result<Json<OverrideRequest>, Refused> {
    let Json(request) = called?;
    let unfit = |why: String| Refused(StatusCode::UNPROCESSABLE_ENTITY, why);
    let action = Action::try_from(request.action.clone()).map_err(unfit)?;
    let expires_in: Option<Duration> = match request.expires_in.as_deref().map(parse_duration) {
        Some(Err(why)) => return Err(unfit(format!("`expires_in`: {why}"))),
        Some(Ok(span)) => Some(span),
        None => None,
    };
    let subject = Subject::from(request.subject.clone());
    let (author, reason) = (request.author.clone(), request.reason.clone());
    surface.control.set_override(subject, action, author, reason, expires_in).await?;
    tracing::info!(subject = ?request.subject, ?action, author = request.author, reason = request.reason, "override set");
    Ok(Json(request))
}

/// `DELETE /v1/overrides`.
pub(in crate::admin) async fn clear_override(
    State(surface): Surfaced,
    called: Called<ClearRequest>,
) -> Result<Json<ClearRequest>, Refused> {
    let Json(request) = called?;
    for (field, text) in [("author", &request.author), ("reason", &request.reason)] {
        if text.trim().is_empty() {
            return Err(CommandError::Missing(field).into());
        }
    }
    surface.control.clear_override(Subject::from(request.subject.clone())).await?;
    tracing::info!(subject = ?request.subject, author = request.author, reason = request.reason, "override cleared");
    Ok(Json(request))
}

impl From<SubjectName> for Subject {
    fn from(name: SubjectName) -> Self {
        match name {
            SubjectName::Region(region) => Self::FrontDoor { region },
            SubjectName::Origin { pool, address } => Self::Origin { pool, address },
        }
    }
}

impl From<Subject> for SubjectName {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::FrontDoor { region } => Self::Region(region),
            Subject::Origin { pool, address } => Self::Origin { pool, address },
        }
    }
}

impl TryFrom<ActionName> for Action {
    type Error = String;

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was looked at")]
    fn try_from(name: ActionName) -> Result<Self, String> {
        Ok(match name {
            ActionName::Up => Self::Up,
            ActionName::Down => Self::Down,
            ActionName::Drain => Self::Drain,
            ActionName::Evacuate(over) => {
                Self::Evacuate(parse_duration(&over).map_err(|why| format!("`evacuate`: {why}"))?)
            }
            ActionName::Weight(percent) if (0.0..=100.0).contains(&percent) => {
                Self::Weight(BasisPoints::new((percent * 100.0).round() as u16))
            }
            ActionName::Weight(percent) => return Err(format!("a weight is 0 to 100 percent, not {percent}")),
        })
    }
}

impl From<&Override> for KeptOverride {
    fn from(kept: &Override) -> Self {
        Self {
            subject: kept.subject.clone().into(),
            action: match kept.action {
                Action::Up => ActionName::Up,
                Action::Down => ActionName::Down,
                Action::Drain => ActionName::Drain,
                Action::Evacuate(over) => ActionName::Evacuate(format!("{}s", over.as_secs())),
                Action::Weight(share) => ActionName::Weight(f64::from(share.get()) / 100.0),
            },
            author: kept.author.clone(),
            reason: kept.reason.clone(),
            created: kept.created,
            expires: kept.expires,
            is_inert: kept.is_inert,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_region_or_an_origin_of_a_pool() {
        assert_eq!("eu-central".parse(), Ok(SubjectName::Region("eu-central".into())));
        let address = "10.0.1.11:8080".parse().unwrap();
        assert_eq!("shop/10.0.1.11:8080".parse(), Ok(SubjectName::Origin { pool: "shop".into(), address }));
        assert!("shop/nowhere".parse::<SubjectName>().unwrap_err().contains("POOL/ADDRESS"));
    }
}
