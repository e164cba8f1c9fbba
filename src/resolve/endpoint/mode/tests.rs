use expect_test::expect;

use crate::{
    catalog::Catalog,
    cloud::Target,
    diagnostic::SourceMap,
    manifest::{Endpoint, Mode, SourceText, Spec, environments, parse},
    resolve::{Facts, Scope, resolve},
};

const ENDPOINT: &str = "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {name: oracle}\nspec:\n  model: \
     BAAI/bge-small-en-v1.5\n";

/// How many stacks come of an endpoint that is changed after reading, and the findings.
fn changed(change: impl Fn(&mut Endpoint)) -> String {
    let input = SourceText { name: "oracle.yaml".into(), bytes: ENDPOINT.into(), named: true };
    let mut set = environments(parse(vec![input], &mut SourceMap::default()).0, None).0.remove(0);
    let Spec::Endpoint(spec) = &mut set.documents[0].spec else { panic!("it is an endpoint") };
    change(spec);
    let scope = Scope::new(set, Target { account: None, region: "us-east-1".into(), assume_role: None });
    let (resolved, found) = resolve(&[scope], &Facts::known(), Catalog::embedded());
    let found = found.into_iter().map(|it| format!("; {}: {}", it.code.number(), it.message));
    format!("{} stacks{}\n", resolved.stacks.len(), found.collect::<String>())
}

/// The schema refuses all of these before, so nothing else shows that they are not passed over here.
#[test]
fn what_says_nothing_that_can_be_served_is_a_finding() {
    let text = changed(|_| ())
        + &changed(|spec| spec.mode = Some(Mode::Serverless))
        + &changed(|spec| spec.mode = Some(Mode::Async))
        + &changed(|spec| spec.model = None)
        + &changed(|spec| *spec = Endpoint { mode: Some(Mode::Realtime), ..Endpoint::default() });
    expect![[r#"
        1 stacks
        0 stacks; HF1040: not yet supported: this mode
        0 stacks; HF1040: not yet supported: this mode
        0 stacks; HF1040: not yet supported: an endpoint without `model`
        0 stacks; HF1040: not yet supported: an endpoint without `model`
    "#]]
    .assert_eq(&text);
}
