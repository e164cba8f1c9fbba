//! Facts that other rooms rely on, and the rules that choose between them.

use std::fmt::Debug;

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;
use crate::diagnostic::Path;

fn check(actual: impl Debug, expect: Expect) {
    expect.assert_eq(&format!("{actual:?}"));
}

fn catalog() -> &'static Catalog {
    Catalog::embedded()
}

fn with(table: &str, text: &str) -> Result<Catalog, CatalogError> {
    Catalog::with_tables(BTreeMap::from([(table.to_owned(), text.to_owned())]))
}

fn resource_type(name: &str) -> &'static ResourceType {
    catalog().resource_type(name).expect("a type of the registry")
}

#[test]
fn a_price_is_listed_else_estimated_else_unknown() {
    check(
        catalog().sagemaker_price("ml.g6.xlarge", "us-east-1"),
        expect![[r#"Listed { usd_per_hour: 1.1267, source: "S1;S2", observed: Some("2026-09-01") }"#]],
    );
    check(
        catalog().sagemaker_price("g6.xlarge", "eu-central-1"),
        expect!["Estimated { usd_per_hour: 1.4089599999999998, ec2_usd_per_hour: 1.0064, ratio: 1.4 }"],
    );
    let unknown = [
        ("ml.g6.xlarge", "us-iso-east-1"),
        ("g6f.large", "us-east-1"), // not on SageMaker
        ("ml.nonsense", "us-east-1"),
    ];
    assert!(unknown.iter().all(|(name, region)| catalog().sagemaker_price(name, region) == Price::Unknown));
}

#[test]
fn both_spellings_name_one_instance() {
    check(
        catalog().instance("ml.g6.xlarge"),
        expect![[
            r#"Some(Instance { sagemaker: Some("ml.g6.xlarge"), ec2: "g6.xlarge", family: "g6", vcpus: Some(4), memory_mib: Some(16384), arch: Some(X86_64), current_generation: Some(true), accelerator: Some(Accelerator { kind: Gpu, name: "L4", count: 1, memory_mib_each: Some(22888), memory_mib_total: Some(22888), cuda_compute_capability: Some((8, 9)), neuron_cores: None, fraction: None }), local_nvme_gb: Some(250), tensor_parallel_degrees: [], endpoint_usable: true })"#
        ]],
    );
    assert_eq!(catalog().instance("g6.xlarge"), catalog().instance("ml.g6.xlarge"));
    assert!(catalog().instance("g6f.large").is_some_and(|instance| instance.sagemaker.is_none()));
    assert_eq!(catalog().instance("ml.g6f.large"), None);
    let degrees = catalog().instance("ml.inf2.48xlarge").map(|instance| &*instance.tensor_parallel_degrees);
    assert_eq!(degrees, Some(&[2, 4, 8, 12, 24][..]));
    let p2 = catalog().instance("ml.p2.xlarge").expect("SageMaker still names it");
    assert!(!p2.is_described() && p2.accelerator.is_none());
}

#[test]
fn every_type_of_sagemaker_is_there_and_accelerator_memory_adds_up() {
    assert_eq!(catalog().instances().filter(|instance| instance.sagemaker.is_some()).count(), 455);
    for instance in catalog().instances() {
        let accelerator = instance.accelerator.as_ref();
        let total = accelerator.and_then(|found| Some(found.memory_mib_each? * u64::from(found.count)));
        assert_eq!(total, accelerator.and_then(|found| found.memory_mib_total), "{}", instance.ec2);
    }
}

#[test]
fn endpoints_are_hosted_where_a_hosting_price_exists() {
    assert!(catalog().hosts_endpoints("ml.g6.xlarge", "us-east-1"));
    assert!(catalog().hosts_endpoints("g6.xlarge", "eu-west-2"));
    assert!(!catalog().hosts_endpoints("ml.trn2.48xlarge", "us-east-1"));
    assert!(!catalog().hosts_endpoints("ml.p3.2xlarge", "us-east-1"));
    assert_eq!(catalog().endpoint_regions("ml.p2.xlarge"), &[] as &[String]);
}

#[test]
fn the_newest_image_is_one_that_two_sources_know() {
    let newest = |engine, accelerator| catalog().newest_image(engine, accelerator).map(|image| image.version.as_str());
    assert_eq!(newest("huggingface-vllm", ImageAccelerator::Gpu), Some("0.25.1"));
    assert_eq!(newest("huggingface-tei-cpu", ImageAccelerator::Cpu), Some("1.8.2"));
    assert_eq!(newest("huggingface-tei-cpu", ImageAccelerator::Gpu), None);
    assert_eq!(newest("huggingface", ImageAccelerator::Gpu), Some("5.5.3"));
    assert_eq!(newest("huggingface-vllm-neuronx", ImageAccelerator::Neuron), None, "known by pattern only");
    assert_eq!(newest("nonsense", ImageAccelerator::Cpu), None);
    let last = catalog().images("huggingface-vllm", ImageAccelerator::Gpu).last();
    check(last.map(|image| (image.version.as_str(), image.verified)), expect![[r#"Some(("0.29.0", Sdk))"#]]);
}

#[test]
fn each_set_of_registries_has_its_own_accounts() {
    let uri = |engine, accelerator, region| {
        catalog().newest_image(engine, accelerator).and_then(|image| catalog().image_uri(image, region))
    };
    let (tei, vllm) = ("huggingface-tei-cpu", "huggingface-vllm");
    check(
        uri(tei, ImageAccelerator::Cpu, "us-east-1"),
        expect![[
            r#"Some("683313688378.dkr.ecr.us-east-1.amazonaws.com/tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04")"#
        ]],
    );
    check(
        uri(tei, ImageAccelerator::Cpu, "cn-north-1"),
        expect![[
            r#"Some("450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04")"#
        ]],
    );
    check(
        uri(vllm, ImageAccelerator::Gpu, "us-east-1"),
        expect![[
            r#"Some("763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-vllm:0.25.1-transformers5.10.2-gpu-py312-cu130-ubuntu22.04")"#
        ]],
    );
    assert_eq!(uri(tei, ImageAccelerator::Cpu, "us-isof-east-1"), None);
    assert_eq!(uri(tei, ImageAccelerator::Cpu, "nowhere-1"), None);
}

#[test]
fn the_small_tables_answer() {
    check(catalog().collected(), expect![[r#""2026-11-22""#]]);
    check(
        catalog().inference_amis().iter().find(|ami| ami.cuda == Some((13, 0))).map(|ami| (&ami.name, &ami.driver)),
        expect![[r#"Some(("al2023-ami-sagemaker-inference-gpu-4-1", "nvidia 580"))"#]],
    );
    let reports = |cuda| catalog().ami_reports(cuda).map(|said| (said.ami.as_deref(), said.works)).collect::<Vec<_>>();
    check(reports((12, 8)), expect!["[]"]);
    check(
        reports((12, 9)),
        expect![[
            r#"[(None, false), (Some("al2-ami-sagemaker-inference-gpu-3-1"), true), (Some("al2023-ami-sagemaker-inference-gpu-4-1"), false)]"#
        ]],
    );
    assert_eq!(reports((13, 0)), reports((13, 4)), "a report without an end is about all that follow");
    let amis: Vec<_> = catalog().inference_amis().iter().map(|ami| ami.name.as_str()).collect();
    assert!(reports((13, 0)).iter().chain(&reports((12, 9))).all(|(ami, _)| ami.is_none_or(|ami| amis.contains(&ami))));
    check(
        catalog().quota("endpoint", "c4.2xlarge").map(|quota| (&quota.name, &quota.code)),
        expect![[r#"Some(("ml.c4.2xlarge for endpoint usage", "L-54106F23"))"#]],
    );
    assert_eq!(catalog().quota("endpoint", "ml.nonsense"), None);
    check(
        catalog().region("cn-north-1").map(|region| (&region.partition, &region.dns_suffix)),
        expect![[r#"Some(("aws-cn", Some("amazonaws.com.cn")))"#]],
    );
    assert_eq!(catalog().regions().count(), 46);
}

#[test]
fn models_are_found_by_id_and_suggested_by_their_last_name() {
    let model = catalog().model("Qwen/Qwen3-0.6B").expect("a model of the table");
    assert_eq!((model.kv_heads, model.max_positions, model.gated), (Some(8), Some(40960), Gated::No));
    let gated = |id| catalog().model(id).map(|model| model.gated);
    assert_eq!(gated("meta-llama/Llama-3.1-8B-Instruct"), Some(Gated::Yes));
    assert_eq!(gated("black-forest-labs/FLUX.1-schnell"), Some(Gated::Unknown));
    assert_eq!(catalog().models_named("qwen3-0.6b"), ["Qwen/Qwen3-0.6B"]);
    assert_eq!(catalog().models_named("gpt2"), ["openai-community/gpt2"]);
    assert_eq!(catalog().models_named("bert-base-uncased"), ["google-bert/bert-base-uncased"]);
    assert!(catalog().models_named("nonsense").is_empty());
    assert_eq!(catalog().models().count(), 258);
    assert_eq!(catalog().models().filter(|model| model.commit.is_some()).count(), 252, "the others are unknown");
    assert_eq!((catalog().collected(), catalog().models_collected()), ("2026-11-22", "2026-11-25"));
}

#[test]
fn a_catalog_with_other_tables_answers_from_them() {
    let header = "instance_type,usd_h,regions,sources";
    let dearer = with("prices-sagemaker.csv", &format!("{header}\nml.g6.xlarge,9.5,us-east-1,X\n"));
    check(
        dearer.map(|catalog| catalog.sagemaker_price("ml.g6.xlarge", "us-east-1")),
        expect![[r#"Ok(Listed { usd_per_hour: 9.5, source: "X", observed: None })"#]],
    );
    let newer = json!({"engine": "huggingface-tei-cpu", "images": [{"version": "1.10.0", "scope": "inference",
        "accelerator": "cpu", "repository": "tei-cpu", "tag": "t", "registries": "r8", "verified": "sdk"}]});
    let newer = with("containers/huggingface-tei-cpu.json", &newer.to_string()).expect("a well-formed table");
    let image = newer.newest_image("huggingface-tei-cpu", ImageAccelerator::Cpu);
    assert_eq!(image.map(|image| image.version.as_str()), Some("1.10.0"));
    let types = with("resource-types.txt", "= AWS::A::B\n Name! string\n").expect("a well-formed table");
    assert!(types.resource_type("AWS::A::B").is_some_and(|found| found.is_required("Name")));
    assert_eq!(types.resource_type_names(), ["AWS::A::B"]);
}

#[test]
fn a_table_that_cannot_be_read_is_named_with_the_line() {
    let error = |table, text| with(table, text).map(|_| ()).map_err(|error| error.to_string());
    check(
        error("prices-sagemaker.csv", "instance_type,usd_h,regions,sources\nml.x,cheap,us-east-1,X\n"),
        expect![[r#"Err("prices-sagemaker.csv:2: usd_h cannot be \"cheap\"")"#]],
    );
    check(
        error("models.csv", "task,dtype,license,params_computed,params_hub,weight_bytes,heads\nt,,,,,,0\n"),
        expect![[r#"Err("models.csv:2: heads cannot be 0")"#]],
    );
    check(
        error("models.csv", "task,dtype\nt,bfloat16 \u{1b}\n"),
        expect![[r#"Err("models.csv:2: dtype cannot be \"bfloat16 \\u{1b}\"")"#]],
    );
    check(error("prices.csv", ""), expect![[r#"Err("prices.csv: there is no table of this name")"#]]);
    check(
        error("resource-types.txt", "= AWS::A::B\n Name! strong\n"),
        expect![[r#"Err("resource-types.txt:2: there is no kind called \"strong\"")"#]],
    );
    check(
        error("containers/huggingface-tei-cpu.json", "{\n\"engine\": 1}"),
        expect![[
            r#"Err("containers/huggingface-tei-cpu.json:2: invalid type: integer `1`, expected a string at line 2 column 11")"#
        ]],
    );
}

#[test]
fn every_resource_type_is_readable_and_consistent() {
    let names = catalog().resource_type_names();
    assert_eq!(names.len(), 1854);
    for name in names {
        let found = resource_type(name);
        assert_eq!(&found.name, name);
        let paths = [&found.create_only, &found.conditional_create_only, &found.read_only, &found.write_only];
        for path in paths.into_iter().flatten().chain(found.primary_identifier()) {
            assert!(found.knows(path.property()), "{name} {path}");
        }
        let shapes = found.shapes.values().chain([&found.top]);
        for kind in shapes.flat_map(|shape| shape.properties.values()).flat_map(|property| &property.kinds) {
            assert_known_shape(found, kind);
        }
    }
}

fn assert_known_shape(found: &ResourceType, kind: &ValueKind) {
    match kind {
        ValueKind::Object(Some(shape)) => assert!(found.shape(shape).is_some(), "{} {shape}", found.name),
        ValueKind::Array(items) => items.iter().for_each(|kind| assert_known_shape(found, kind)),
        _ => {}
    }
}

#[test]
fn changes_replace_what_the_schemas_say() {
    use Replacement::{Always, Conditional, Never};
    let on = |name, path| resource_type(name).replacement_on(Path::read(path));
    for property in resource_type("AWS::SageMaker::Model").properties().keys().filter(|name| *name != "ModelArn") {
        let expected = if property == "Tags" { Never } else { Always };
        assert_eq!(on("AWS::SageMaker::Model", property), expected, "{property}");
    }
    assert_eq!(on("AWS::SageMaker::EndpointConfig", "ProductionVariants/0/InstanceType"), Always);
    assert_eq!(on("AWS::SageMaker::EndpointConfig", "/Tags/0/Value"), Never);
    assert_eq!(on("AWS::SageMaker::Endpoint", "EndpointName"), Always);
    assert_eq!(on("AWS::SageMaker::Endpoint", "EndpointConfigName"), Never);
    assert_eq!(on("AWS::AutoScaling::AutoScalingGroup", "LaunchTemplate/Version"), Conditional);
    assert_eq!(on("AWS::AutoScaling::AutoScalingGroup", "MaxSize"), Never);
    assert_eq!(on("AWS::IAM::ManagedPolicy", "Description"), Always);
    assert_eq!(on("AWS::IAM::ManagedPolicy", "PolicyDocument/Statement/0"), Never);
    assert_eq!(on("AWS::SageMaker::Cluster", "Orchestrator"), Always, "a part of it is create-only");
    assert_eq!(on("AWS::EC2::PlacementGroup", "Tags"), Always);
    assert!(resource_type("AWS::EC2::PlacementGroup").tags_create_only());
}

#[test]
fn attributes_identifiers_and_times_are_known() {
    let endpoint = resource_type("AWS::SageMaker::Endpoint");
    check(endpoint.attributes(), expect![[r#"["EndpointArn", "EndpointName"]"#]]);
    check(
        endpoint.write_only.iter().map(ToString::to_string).collect::<Vec<_>>(),
        expect![[r#"["/ExcludeRetainedVariantProperties", "/RetainAllVariantProperties", "/RetainDeploymentConfig"]"#]],
    );
    assert!(endpoint.is_write_only("RetainAllVariantProperties"));
    assert!(endpoint.is_read_only("EndpointArn"));
    assert_eq!(endpoint.primary_identifier().iter().map(PropertyPath::property).collect::<Vec<_>>(), ["EndpointArn"]);
    assert_eq!(endpoint.tags_property(), Some("Tags"));
    assert!(!endpoint.tags_create_only());
    assert_eq!(endpoint.timeout_minutes(HandlerKind::Update), Some(970));
    assert_eq!(endpoint.has(HandlerKind::Delete), Some(true));
    assert!(!resource_type("AWS::CodeArtifact::Repository").is_read_only("DomainOwner"), "create-only as well");
    assert!(resource_type("AWS::CloudFormation::Stack").has_attribute("Outputs.Url"));
    assert!(resource_type("Custom::Anything").has_attribute("Whatever"));
    assert!(resource_type("Custom::Anything").knows("Whatever"));
    assert_eq!(resource_type("AWS::CloudFormation::CustomResource").has(HandlerKind::Update), None, "none are listed");
    assert_eq!(catalog().resource_type("AWS::SageMaker::TrainingJob"), None);
}

#[test]
fn misfits_name_the_place_and_leave_intrinsics_alone() {
    let properties = json!({
        "EndpointConfigArn": "arn",
        "Tags": {"Ref": "Tags"},
        "VpcConfig": "none",
        "ProductionVariants": [{"InitialInstanceCount": "2", "InstanceTyp": "ml.m5.large",
            "ServerlessConfig": {"MaxConcurrency": "many", "MemorySizeInMB": {"Fn::Sub": "2048"}}}],
    });
    let found = resource_type("AWS::SageMaker::EndpointConfig").misfits(&properties);
    let lines: Vec<_> = found.iter().map(|misfit| format!("{} {:?}\n", misfit.path, misfit.problem)).collect();
    expect![[r#"
        EndpointConfigArn ReadOnly
        ProductionVariants/0/VariantName Missing
        ProductionVariants/0/InstanceTyp Unknown
        ProductionVariants/0/ServerlessConfig/MaxConcurrency Kind([Integer])
        VpcConfig Kind([Object(Some("VpcConfig"))])
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn the_kinds_of_a_path_are_found_through_lists_and_objects() {
    let config = resource_type("AWS::SageMaker::EndpointConfig");
    assert_eq!(config.kinds("ProductionVariants/0/InstanceType"), [&ValueKind::String]);
    assert_eq!(config.kinds("/ProductionVariants/0/Nonsense"), [] as [&ValueKind; 0]);
}
