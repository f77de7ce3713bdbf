//! The path of a request: a template, and the ids that stand in it.

/// Where a request goes, below the address of the service.
///
/// Both the address and the template that may be shown are made of it, so that they cannot differ.
#[derive(Clone)]
pub(crate) struct Path {
    /// The path with a placeholder for each id, such as `/v1/messages/{message_id}`.
    pub(crate) template: &'static str,
    ids: Box<[Box<str>]>,
}

/// Returns the [`Path`] of a template and its ids, in order.
///
/// A number of ids that is not that of the placeholders does not compile.
macro_rules! route {
    ($template:literal $(, $id:expr)*) => {{
        const IDS: &[&str] = &[$(stringify!($id)),*];
        const { assert!($crate::request::placeholders($template) == IDS.len()) }
        $crate::request::Path::new($template, &[$($id.as_str()),*])
    }};
}

pub(crate) use route;

impl Path {
    pub(crate) fn new(template: &'static str, ids: &[&str]) -> Self {
        Self { template, ids: ids.iter().map(|id| (*id).into()).collect() }
    }

    /// Returns the segments, with the ids in the places of the placeholders.
    pub(super) fn segments(&self) -> impl Iterator<Item = &str> {
        let mut ids = self.ids.iter();
        self.template.split('/').skip(1).map(move |part| match part.starts_with('{') {
            true => ids.next().map_or(part, |id| id),
            false => part,
        })
    }
}

pub(crate) const fn placeholders(template: &str) -> usize {
    let mut left = template.as_bytes();
    let mut count = 0;
    while let [byte, rest @ ..] = left {
        if *byte == b'{' {
            count += 1;
        }
        left = rest;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn ids_stand_in_the_places_of_the_placeholders() {
        let path = Path::new("/v1/agents/{agent_id}/versions/{version_id}", &["{x}", "/v1"]);
        assert_eq!(path.segments().collect::<Vec<_>>(), ["v1", "agents", "{x}", "versions", "/v1"]);
        let path = Path::new("/v1/agents", &[]);
        assert_eq!(path.segments().collect::<Vec<_>>(), ["v1", "agents"]);
    }
}
