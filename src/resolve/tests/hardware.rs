//! Which instance: the one named, if it is offered; or the cheapest that is known to hold the model.

use super::*;

const QWEN: &str = "model: {hub: Qwen/Qwen3-8B}";

fn on(instance: &str) -> TestRun {
    endpoint(&format!("model: {{hub: BAAI/bge-m3}}\nhardware: {instance}"))
}

#[test]
fn an_instance_may_be_spelled_as_ec2_spells_it() {
    on("m5.xlarge").is_fine();
    on("{instances: [m5.xlarge]}").instance(expect![[r#""ml.m5.xlarge""#]]);
}

#[test]
fn an_instance_that_the_region_does_not_offer_is_refused_with_the_regions_that_do() {
    on("ml.p5en.48xlarge").region("eu-west-3").findings(expect![[r#"
        error HF2007 3:13: `ml.p5en.48xlarge` is not available for endpoints in eu-west-3, by the price list of 2026-11-22 | it is offered in ap-northeast-1, ap-south-1, ap-southeast-3, eu-north-1, eu-south-2 and 4 more Regions
    "#]]);
    on("ml.g5.xlarge").region("eu-west-3").findings(expect![[r#"
        error HF2007 3:13: `ml.g5.xlarge` is not available for endpoints in eu-west-3, by the price list of 2026-11-22 | it is offered in ap-east-1, ap-northeast-1, ap-northeast-2, ap-south-1, ap-southeast-1 and 14 more Regions
    "#]]);
}

#[test]
fn six_regions_are_listed_and_of_more_five() {
    on("ml.p5.4xlarge").region("eu-west-3").findings(expect![[r#"
        error HF2007 3:13: `ml.p5.4xlarge` is not available for endpoints in eu-west-3, by the price list of 2026-11-22 | it is offered in ap-northeast-1, ap-south-1, eu-west-2, sa-east-1, us-east-2, us-west-2
    "#]]);
    on("ml.p5.48xlarge").region("eu-west-3").findings(expect![[r#"
        error HF2007 3:13: `ml.p5.48xlarge` is not available for endpoints in eu-west-3, by the price list of 2026-11-22 | it is offered in ap-southeast-2, ca-central-1, eu-west-2, sa-east-1, us-east-1 and 2 more Regions
    "#]]);
}

#[test]
fn of_an_unknown_instance_the_nearest_is_offered() {
    on("ml.g5.xlrage").findings(expect![[r#"
        error HF2007 3:13: `ml.g5.xlrage` is not available for endpoints in us-east-1, by the price list of 2026-11-22 | did you mean `ml.g5.xlarge`?
    "#]]);
    on("ml.zzz99.metal-48xl").findings(expect![[r#"
        error HF2007 3:13: `ml.zzz99.metal-48xl` is not available for endpoints in us-east-1, by the price list of 2026-11-22 | no such instance type
    "#]]);
}

#[test]
fn retired_families_are_refused_by_name() {
    on("ml.p3.2xlarge").findings(expect![[r#"
        error HF2007 3:13: `ml.p3.2xlarge` is not available for endpoints in us-east-1, by the price list of 2026-11-22 | p2 and p3 are retired; use g5, g6 or p4d
    "#]]);
    on("ml.p2.xlarge").findings(expect![[r#"
        error HF2007 3:13: `ml.p2.xlarge` is not available for endpoints in us-east-1, by the price list of 2026-11-22 | p2 and p3 are retired; use g5, g6 or p4d
    "#]]);
}

#[test]
fn what_hosts_endpoints_nowhere_is_told_so() {
    on("ml.p5e.48xlarge").findings(expect![[r#"
        error HF2007 3:13: `ml.p5e.48xlarge` is not available for endpoints in us-east-1, by the price list of 2026-11-22 | it is not available for endpoints in any Region
    "#]]);
}

#[test]
fn the_cheapest_that_holds_the_model_is_chosen_with_its_price() {
    endpoint(QWEN).only("instance").choices(expect![[r#"
        instance = ml.g6.xlarge (cheapest in us-east-1 that fits the model by estimate; 1.1267 USD/h, seen 2026-09-01)
    "#]]);
    endpoint("model: {hub: BAAI/bge-m3}").only("instance").choices(expect![[r#"
        instance = ml.c7i.xlarge (cheapest in us-east-1 that fits the model by estimate; 0.214 USD/h, seen 2025-01-26; 4 of that size have no known price)
    "#]]);
    endpoint("model: {hub: openai/whisper-large-v3}").only("instance").choices(expect![[r#"
        instance = ml.c7i.2xlarge (cheapest in us-east-1 that fits the model by estimate; about 0.43 USD/h, estimated from EC2's price; 6 of that size have no known price)
    "#]]);
}

#[test]
fn another_region_has_other_instances_and_prices() {
    endpoint(QWEN).region("eu-west-3").only("instance").choices(expect![[r#"
        instance = ml.g6.xlarge (cheapest in eu-west-3 that fits the model by estimate; about 1.43 USD/h, estimated from EC2's price)
    "#]]);
    endpoint(QWEN).region("sa-east-1").only("instance").choices(expect![[r#"
        instance = ml.g6.xlarge (cheapest in sa-east-1 that fits the model by estimate; about 1.92 USD/h, estimated from EC2's price)
    "#]]);
    endpoint(QWEN).region("us-gov-west-1").only("instance").choices(expect![[r#"
        instance = ml.g6.xlarge (cheapest in us-gov-west-1 that fits the model by estimate; about 1.42 USD/h, estimated from EC2's price)
    "#]]);
}

#[test]
fn a_larger_model_takes_a_larger_instance() {
    endpoint("model: {hub: Qwen/Qwen3-32B}").only("instance, tensor parallel").choices(expect![[r#"
        instance = ml.g7e.2xlarge (cheapest in us-east-1 that fits the model by estimate; 4.2039 USD/h, seen 2026-09-01)
        tensor parallel = 1 (the instance has one device)
    "#]]);
    endpoint("model: {hub: deepseek-ai/DeepSeek-R1-Distill-Llama-70B}")
        .only("instance, tensor parallel")
        .choices(expect![[r#"
            instance = ml.g7e.12xlarge (cheapest in us-east-1 that fits the model by estimate; 10.3576 USD/h, seen 2026-09-01)
            tensor parallel = 2 (the most of 2 devices that the model's heads divide by)
        "#]]);
}

#[test]
fn a_chosen_instance_gives_all_its_devices_to_one_copy() {
    // wrong: `ml.p6-b200.48xlarge` holds it on four of its devices, as the next line shows.
    endpoint("model: {hub: Qwen/Qwen3-235B-A22B}").findings(expect![[r#"
        error HF2009 2:10: no instance type in us-east-1 is known to fit `Qwen/Qwen3-235B-A22B` | set an instance type in `hardware`, or deploy to another Region
    "#]]);
    endpoint("model: {hub: Qwen/Qwen3-235B-A22B}\nhardware: ml.p6-b200.48xlarge").check(expect![[r#"
        Endpoint/chat as default-endpoint-chat
          revision = 8efa61729e24bd65b1d152b5ab5409052aa80e65 (newest commit known on 2026-11-25; listed by 8 public sources, the last in 2026)
          engine = vllm (serves the task text-generation)
          image = huggingface-vllm:0.25.1-transformers5.10.2-gpu-py312-cu130-ubuntu22.04 (newest listed by both the SageMaker SDK and the containers' repository)
          inference AMI = al2023-ami-sagemaker-inference-gpu-4-1 (the image has CUDA 13; of the documented AMIs only this one has a driver for it; the SageMaker SDK, the source of this, does not list p6-b200)
          tensor parallel = 4 (the most of 8 devices that the model's heads divide by)
          start-up timeout = 1h (the longest SageMaker waits; the model is large, or of unknown size)
    "#]]);
}

#[test]
fn what_is_said_of_context_and_degree_bounds_what_is_chosen() {
    endpoint("model: {hub: Qwen/Qwen3-8B, context: 40000}").only("instance, context").choices(expect![[r#"
        instance = ml.g6e.xlarge (cheapest in us-east-1 that fits the model by estimate; 2.6054 USD/h, seen 2026; 1 of that size has no known price)
    "#]]);
    endpoint("model: {hub: Qwen/Qwen3-8B, tensorParallel: 4}").only("instance, context").choices(expect![[r#"
        instance = ml.g6.12xlarge (cheapest in us-east-1 that fits the model by estimate; 5.752 USD/h, seen 2026-09-01)
    "#]]);
}

#[test]
fn where_nothing_holds_the_model_nothing_is_chosen() {
    endpoint("model: {hub: zai-org/GLM-5}").region("eu-west-3").findings(expect![[r#"
        error HF2009 2:10: no instance type in eu-west-3 is known to fit `zai-org/GLM-5` | set an instance type in `hardware`, or deploy to another Region
    "#]]);
    endpoint(QWEN).region("ap-east-2").findings(expect![[r#"
        error HF2009 2:10: no instance type in ap-east-2 is known to fit `Qwen/Qwen3-8B` | set an instance type in `hardware`, or deploy to another Region
    "#]]);
}

#[test]
fn upon_what_is_not_known_nothing_is_chosen() {
    endpoint("model: {hub: openai/gpt-oss-20b}").findings(expect![[r#"
        error HF2008 2:10: no instance type is set, and hubform cannot choose one for `openai/gpt-oss-20b`: what its weights take is unknown | set `hardware: {instances: [ml.…]}`
    "#]]);
    endpoint("model: {hub: Qwen/Qwen3-8B, quantization: awq}").findings(expect![[r#"
        error HF2008 2:10: no instance type is set, and hubform cannot choose one for `Qwen/Qwen3-8B`: what its weights take once they are quantized is unknown | set `hardware: {instances: [ml.…]}`
    "#]]);
    endpoint("model: {hub: OpenGVLab/InternVL3-8B}").findings(expect![[r#"
        error HF2008 2:10: no instance type is set, and hubform cannot choose one for `OpenGVLab/InternVL3-8B`: the longest context it was made for is unknown | set `context`, or `hardware: {instances: [ml.…]}`
    "#]]);
    endpoint("model: {hub: OpenGVLab/InternVL3-8B, context: 8192}").only("instance").choices(expect![[r#"
        instance = ml.g6.xlarge (cheapest in us-east-1 that fits the model by estimate; 1.1267 USD/h, seen 2026-09-01)
    "#]]);
    endpoint("model: {hub: nvidia/parakeet-tdt-0.6b-v3}").findings(expect![[r#"
        error HF2008 2:10: no instance type is set, and hubform cannot choose one for `nvidia/parakeet-tdt-0.6b-v3`: what its weights take is unknown | set `hardware: {instances: [ml.…]}`
    "#]]);
}

#[test]
fn for_an_image_of_ones_own_no_instance_is_chosen() {
    let image = "image: 123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1";
    endpoint(&format!("model: {{hub: BAAI/bge-m3, engine: custom, {image}}}")).findings(expect![[r#"
        error HF2008 2:37: no instance type is set, and hubform cannot choose one for your own image | set `hardware: {instances: [ml.…]}`
    "#]]);
}

#[test]
fn vllm_runs_on_gpus_alone() {
    let on = |name: &str| endpoint(&format!("{QWEN}\nhardware: {name}"));
    on("ml.m5.4xlarge").findings(expect![[r#"
        error HF2011 3:13: `vllm` needs a GPU, and `ml.m5.4xlarge` has none | use a g5, g6, g6e or p instance type
    "#]]);
    on("ml.inf2.xlarge").findings(expect![[r#"
        error HF2011 3:13: `vllm` does not run on the accelerators of `ml.inf2.xlarge` | Neuron engines are not supported yet; use a GPU instance type
    "#]]);
    let image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1";
    endpoint(&format!("model: {{hub: Qwen/Qwen3-8B, image: {image}}}\nhardware: ml.m5.4xlarge"))
        .findings(expect![[r#"
            error HF2011 3:13: `vllm` needs a GPU, and `ml.m5.4xlarge` is not known to have one | use a g5, g6, g6e or p instance type
        "#]]);
}

#[test]
fn there_is_no_image_for_arm_and_none_for_neuron() {
    on("ml.c7g.xlarge").findings(expect![[r#"
        error HF2011 3:13: `ml.c7g.xlarge` is an Arm machine, for which there is no image | use an x86 instance type such as ml.c7i.xlarge
    "#]]);
    on("ml.inf2.xlarge").findings(expect![[r#"
        error HF2011 3:13: `tei` does not run on the accelerators of `ml.inf2.xlarge` | Neuron engines are not supported yet; use a GPU instance type
    "#]]);
}

#[test]
fn an_image_of_ones_own_may_run_on_arm() {
    let image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1";
    endpoint(&format!("model: {{hub: BAAI/bge-m3, engine: custom, image: {image}}}\nhardware: ml.c7g.xlarge"))
        .is_fine();
}

#[test]
fn hardware_of_the_environment_holds_where_an_endpoint_says_none() {
    let run = endpoint("model: {hub: BAAI/bge-m3}");
    run.clone().environment("defaults: {hardware: ml.c7i.2xlarge}").instance(expect![[r#""ml.c7i.2xlarge""#]]);
    let both =
        "targets: [{region: us-east-1, defaults: {hardware: ml.m5.2xlarge}}]\ndefaults: {hardware: ml.c7i.2xlarge}";
    run.environment(both).instance(expect![[r#""ml.m5.2xlarge""#]]);
    on("ml.m5.xlarge").environment(both).instance(expect![[r#""ml.m5.xlarge""#]]);
}

#[test]
fn hardware_that_names_no_instance_gives_its_volume_to_the_one_chosen() {
    on("{volume: 200GiB}").only("instance").choices(expect![[r#"
        instance = ml.c7i.xlarge (cheapest in us-east-1 that fits the model by estimate; 0.214 USD/h, seen 2025-01-26; 4 of that size have no known price)
    "#]]);
    on("{volume: 200GiB}").variant(expect![[r#"
        count: 1
        instance: "ml.c7i.xlarge"
        model: "Model"
        name: "AllTraffic"
        startup_timeout: 600
        volume: 200
    "#]]);
}

#[test]
fn where_no_price_is_known_the_smallest_is_chosen() {
    endpoint("model: {hub: BAAI/bge-m3}").region("ca-west-1").only("instance").choices(expect![[r#"
        instance = ml.c6i.xlarge (smallest in ca-west-1 that fits the model by estimate; none of them has a known price)
    "#]]);
}

#[test]
fn what_has_no_price_comes_last_and_is_counted() {
    endpoint("model: {hub: BAAI/bge-m3}").region("eu-south-2").only("instance").choices(expect![[r#"
        instance = ml.g6.xlarge (cheapest in eu-south-2 that fits the model by estimate; about 1.19 USD/h, estimated from EC2's price; 10 of that size have no known price)
    "#]]);
}

#[test]
fn an_encoder_takes_a_gpu_where_that_is_cheaper() {
    endpoint("model: {hub: intfloat/e5-mistral-7b-instruct}").only("instance").choices(expect![[r#"
        instance = ml.g6.xlarge (cheapest in us-east-1 that fits the model by estimate; 1.1267 USD/h, seen 2026-09-01)
    "#]]);
}

#[test]
fn old_generations_arm_and_bursts_are_named_and_not_chosen() {
    // `ml.t2.medium` is cheaper and large enough, and so are Arm machines.
    endpoint("model: {hub: BAAI/bge-small-en-v1.5}").only("instance").choices(expect![[r#"
        instance = ml.c7i.large (cheapest in us-east-1 that fits the model by estimate; about 0.11 USD/h, estimated from EC2's price; 2 of that size have no known price)
    "#]]);
    on("ml.t2.large").is_fine();
    on("ml.c4.2xlarge").is_fine();
}

#[test]
fn neuron_devices_are_taken_for_gpus_under_an_image_of_ones_own() {
    // wrong: nothing says that the flags of vLLM on GPUs hold there.
    let image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1";
    endpoint(&format!("model: {{hub: Qwen/Qwen3-8B, image: {image}}}\nhardware: ml.inf2.xlarge")).check(expect![[r#"
        Endpoint/chat as default-endpoint-chat
          revision = b968826d9c46dd6066d109eabc6255188de91218 (newest commit known on 2026-11-25; listed by 9 public sources, the last in 2026-10)
          engine = vllm (serves the task text-generation)
          tensor parallel = 1 (the instance has one device)
          start-up timeout = 15m (enough to fetch and load up to 13 billion parameters)
          volume = 60GiB (twice the weights, and 30 GiB for the image)
    "#]]);
}
