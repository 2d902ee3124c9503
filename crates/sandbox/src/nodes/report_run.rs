//! Asynchronous insights reports. Source: marketing-api/insights/best-practices.

use serde_json::{Value, json};

use super::{Cell, Kind, Node, Request, Route, Scope, create, edge, insights, node, resolve};
use crate::{
    protocol::GraphError,
    world::{World, objects::Report},
};

/// Seconds of the sandbox's clock from the request until the job runs, and until it is done.
const RUNS_AFTER: i64 = 1;
const DONE_AFTER: i64 = 3;
const FAILED: &str = "Job Failed";
const FIRST_ID: u64 = 6_060_000_000_001;

pub const ROUTES: &[Route] = &[
    create(Kind::AdAccount, "insights", start),
    create(Kind::Campaign, "insights", start),
    create(Kind::AdSet, "insights", start),
    create(Kind::Ad, "insights", start),
    node(Kind::ReportRun),
    edge(Kind::ReportRun, "insights", |scope, node, params| {
        let report = report(scope, node)?;
        if progress(scope, report).0 == FAILED {
            return Err(GraphError::new(100, "(#100) The report failed; see async_status and error_message"));
        }
        if progress(scope, report).1 < 100 {
            return Err(GraphError::new(
                100,
                "(#100) The report is not ready: wait until async_status is Job Completed",
            ));
        }
        let of =
            resolve::asset(scope.world, &report.of).ok_or_else(|| GraphError::unsupported_get(&report.of))?;
        // Pages are cut by the call, everything else was asked when the report was started.
        let mut asked = report.params.clone();
        for name in ["limit", "after", "before"] {
            match params.0.get(name) {
                Some(value) => asked.0.insert(name.into(), value.clone()),
                None => asked.0.remove(name),
            };
        }
        insights::list(scope, &of, &asked)
    }),
];

fn start(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    // A question that cannot be answered is refused now, not when the report is read.
    insights::list(request.scope(world), node, request.params())?;
    let account = match node.kind {
        Kind::AdAccount => node.number(),
        _ => world.objects.get(node.number()).map_or(0, |object| object.account),
    };
    let id = FIRST_ID + world.objects.reports.len() as u64;
    let report = Report {
        account,
        of: node.id.clone(),
        params: request.params().clone(),
        created: world.clock.unix(),
    };
    world.objects.reports.insert(id, report);
    Ok(json!({ "report_run_id": id.to_string() }))
}

fn report<'a>(scope: Scope<'a>, node: &Node) -> Result<&'a Report, GraphError> {
    scope.world.objects.reports.get(&node.number()).ok_or_else(|| GraphError::unsupported_get(&node.id))
}

/// `async_status` and `async_percent_completion`. Done is only what is completed and at one hundred.
fn progress(scope: Scope<'_>, report: &Report) -> (&'static str, u8) {
    match scope.world.clock.unix() - report.created {
        ..RUNS_AFTER => ("Job Not Started", 0),
        RUNS_AFTER..DONE_AFTER => ("Job Running", 50),
        DONE_AFTER.. if scope.world.scenarios.report_failure() => (FAILED, 50),
        DONE_AFTER.. => ("Job Completed", 100),
    }
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let report = report(scope, node).ok()?;
    let (status, percent) = progress(scope, report);
    Some(match name {
        "account_id" => report.account.to_string().into(),
        "async_status" => status.into(),
        "async_percent_completion" => percent.into(),
        "is_running" => (status == "Job Running").into(),
        "time_ref" => report.created.into(),
        "error_code" if status == FAILED => 2.into(),
        "error_subcode" if status == FAILED => 1_504_038.into(),
        "error_message" | "error_user_msg" if status == FAILED => {
            "The report took too long. Ask for a shorter time, fewer objects or fewer breakdowns.".into()
        }
        "error_user_title" if status == FAILED => "The report timed out".into(),
        "time_completed" if percent == 100 || status == FAILED => (report.created + DONE_AFTER).into(),
        _ => return None,
    })
}
