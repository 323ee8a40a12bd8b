//! Makes the description from the table of routes and the schemas of their types.

use std::collections::BTreeMap;

use backup_model::{Failure, JobName};
use backupd_api::Scope;
use schemars::{
    Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
};
use serde_json::{Map, Value, json};

use crate::http::routes::table::{Needs, ROUTES, Route};

/// Gives the schema of a type.
pub(in crate::http) type Describes = fn(&mut SchemaGenerator) -> Schema;

/// What a route takes and gives.
#[derive(Debug)]
pub(in crate::http) struct Shape {
    pub(in crate::http) method: &'static str,
    pub(in crate::http) name: &'static str,
    pub(in crate::http) query: Option<Describes>,
    pub(in crate::http) body: Option<Describes>,
    pub(in crate::http) form: Form,
    pub(in crate::http) answer: Describes,
}

/// How an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Form {
    /// One JSON document.
    Json,
    /// The same, and something has only begun.
    Begun,
    /// JSON documents, one a line.
    Lines,
}

/// The description of the API.
pub fn describe() -> Value {
    // Asked for may be what an answer always has, so each direction has its own schemas.
    let mut asked = generator(Contract::Deserialize);
    let mut answered = generator(Contract::Serialize);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in ROUTES {
        let method = route.shape.method.to_lowercase();
        let operation = operation(route, &mut asked, &mut answered);
        paths
            .entry(route.path)
            .or_default()
            .insert(method, operation);
    }
    let mut schemas = answered.take_definitions(true);
    for (name, schema) in asked.take_definitions(true) {
        let known = schemas.get(&name);
        assert!(
            known.is_none_or(|known| *known == schema),
            "{name} is asked for and answered in two forms: give one of them another name"
        );
        schemas.insert(name, schema);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "backupd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Over the daemon's socket, root and the daemon's user may ask for \
                everything without a token. Each operation names the scopes of which a token needs \
                one; `admin` has all. A refusal is a `Failure` whose code is stable.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn generator(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.contract = contract;
    settings.into_generator()
}

fn operation(route: &Route, asked: &mut SchemaGenerator, answered: &mut SchemaGenerator) -> Value {
    let shape = &route.shape;
    let mut parameters = in_path(route.path, asked);
    if let Some(query) = shape.query {
        let schema = query(asked);
        parameters.extend(in_query(&schema, asked));
    }
    let (status, kind) = match shape.form {
        Form::Json => ("200", "application/json"),
        Form::Begun => ("202", "application/json"),
        Form::Lines => ("200", "application/x-ndjson"),
    };
    let answer = (shape.answer)(answered);
    let failure = answered.subschema_for::<Failure>();
    let mut operation = json!({
        "operationId": shape.name,
        "security": security(route.needs),
        "responses": {
            status: content(kind, &answer, match shape.form {
                Form::Lines => "a document a line; empty lines say that it goes on",
                Form::Json | Form::Begun => "the answer",
            }),
            "default": content("application/json", &failure, "what went wrong"),
        },
    });
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = shape.body {
        let schema = body(asked);
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema } },
        });
    }
    operation
}

fn content(kind: &str, schema: &Schema, text: &str) -> Value {
    json!({ "description": text, "content": { kind: { "schema": schema } } })
}

/// The scopes of which one is needed. Of a task the kind says which.
fn security(needs: Needs) -> Vec<Value> {
    let of_task = [Scope::Run, Scope::Verify, Scope::Restore, Scope::Retention];
    let scopes = match needs {
        Needs::One(scopes) | Needs::ByBody(scopes) => scopes,
        Needs::OfTask => &of_task,
    };
    let scopes = scopes.iter().map(|scope| json!({ "token": [scope] }));
    scopes.collect()
}

fn in_path(path: &str, asked: &mut SchemaGenerator) -> Vec<Value> {
    let names = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str| {
        let schema = match name {
            "job" => asked.subschema_for::<JobName>().to_value(),
            "seq" => json!({ "type": "string", "pattern": "^[0-9]{6,}$" }),
            _ => json!({ "type": "string" }),
        };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    };
    names.map(parameter).collect()
}

/// The parts of a query, each by itself.
fn in_query(schema: &Schema, asked: &mut SchemaGenerator) -> Vec<Value> {
    let name = schema.as_value()["$ref"]
        .as_str()
        .and_then(|it| it.rsplit('/').next());
    let name = name.expect("a query is a struct");
    // Together they are nothing that is sent.
    let whole = asked.definitions_mut().remove(name);
    let whole = whole.expect("a type that was asked for is defined");
    let parts = whole["properties"].as_object().expect("a struct has parts");
    let parameter = |(name, schema): (&String, &Value)| json!({ "name": name, "in": "query", "required": false, "schema": schema });
    parts.iter().map(parameter).collect()
}
