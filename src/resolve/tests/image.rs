//! Which image, from which registry, on which AMI.

use super::*;

const OWN: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own";

fn own(image: &str, instance: &str) -> TestRun {
    endpoint(&format!("model: {{hub: BAAI/bge-m3, engine: custom, image: '{image}'}}\nhardware: {instance}"))
}

#[test]
fn the_newest_verified_image_of_the_engine_is_chosen_for_its_devices() {
    llm("").only("image, inference AMI").choices(expect![[r#"
        image = huggingface-vllm:0.25.1-transformers5.10.2-gpu-py312-cu130-ubuntu22.04 (newest listed by both the SageMaker SDK and the containers' repository)
        inference AMI = al2023-ami-sagemaker-inference-gpu-4-1 (the image has CUDA 13; of the documented AMIs only this one has a driver for it)
    "#]]);
    encoder("").only("image, inference AMI").choices(expect![[r#"
        image = tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04 (newest listed by the SageMaker SDK)
    "#]]);
    endpoint("model: {hub: BAAI/bge-m3}\nhardware: ml.g5.xlarge").only("image, inference AMI").choices(expect![[r#"
        image = tei:2.0.1-tei1.8.2-gpu-py310-cu122-ubuntu22.04 (newest listed by the SageMaker SDK)
    "#]]);
    let speech = "model: {hub: openai/whisper-large-v3}";
    endpoint(&format!("{speech}\nhardware: ml.m5.4xlarge")).only("image, inference AMI").choices(expect![[r#"
        image = huggingface-pytorch-inference:2.6.0-transformers5.5.3-cpu-py312-ubuntu22.04 (newest listed by both the SageMaker SDK and the containers' repository)
    "#]]);
    endpoint(&format!("{speech}\nhardware: ml.g5.xlarge")).only("image, inference AMI").choices(expect![[r#"
        image = huggingface-pytorch-inference:2.6.0-transformers5.5.3-gpu-py312-cu124-ubuntu22.04 (newest listed by both the SageMaker SDK and the containers' repository)
    "#]]);
}

#[test]
fn the_image_is_pulled_from_the_registry_of_the_region() {
    encoder("").image(expect![[
        r#""683313688378.dkr.ecr.us-east-1.amazonaws.com/tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04""#
    ]]);
    encoder("").region("eu-west-1").image(expect![[
        r#""141502667606.dkr.ecr.eu-west-1.amazonaws.com/tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04""#
    ]]);
    encoder("").region("cn-north-1").image(expect![[
        r#""450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04""#
    ]]);
}

#[test]
fn a_region_without_a_registry_has_no_image() {
    endpoint("model: {hub: BAAI/bge-m3}\nhardware: ml.c6i.xlarge").region("ap-east-2").findings(expect![[r#"
        error HF2013 2:10: no image of `tei` on processors is known in ap-east-2 | set `image:` to one of your own, or deploy to another Region
    "#]]);
}

#[test]
fn gpu_images_of_transformers_are_reported_broken() {
    endpoint("model: {hub: openai/whisper-large-v3}\nhardware: ml.g5.xlarge").findings(expect![[r#"
        warning HF2014 2:10: the GPU images of `transformers` are reported to fail at start (PyTorch 2.3 to 2.6, July 2026) | use a CPU instance, or your own `image`
    "#]]);
    endpoint("model: {hub: openai/whisper-large-v3}\nhardware: ml.m5.4xlarge").is_fine();
}

#[test]
fn cuda_13_takes_the_newest_ami_and_says_where_the_sdk_does_not_list_the_family() {
    let on = |instance: &str| own(&format!("{OWN}:1-cu130"), instance).only("inference AMI");
    on("ml.g6e.xlarge").choices(expect![[r#"
        inference AMI = al2023-ami-sagemaker-inference-gpu-4-1 (the image has CUDA 13; of the documented AMIs only this one has a driver for it)
    "#]]);
    on("ml.g7e.2xlarge").choices(expect![[r#"
        inference AMI = al2023-ami-sagemaker-inference-gpu-4-1 (the image has CUDA 13; of the documented AMIs only this one has a driver for it; the SageMaker SDK, the source of this, does not list g7e)
    "#]]);
    on("ml.m5.xlarge").choices(expect![[""]]);
    on("ml.inf2.xlarge").choices(expect![[""]]);
}

#[test]
fn cuda_12_9_takes_the_ami_before_and_what_is_older_the_services_own() {
    let tagged = |tag: &str| own(&format!("{OWN}{tag}"), "ml.g6e.xlarge").only("inference AMI");
    tagged(":1-cu129").choices(expect![[r#"
        inference AMI = al2-ami-sagemaker-inference-gpu-3-1 (the image has CUDA 12.9, which the default AMI's driver fails on)
    "#]]);
    tagged(":1-cu128").choices(expect![[""]]);
    tagged(":1").choices(expect![[""]]);
    tagged("@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08").choices(expect![[""]]);
}

#[test]
fn the_ami_reaches_the_variant() {
    own(&format!("{OWN}:1-cu129"), "ml.g6e.xlarge").variant(expect![[r#"
        ami: "al2-ami-sagemaker-inference-gpu-3-1"
        count: 1
        instance: "ml.g6e.xlarge"
        model: "Model"
        name: "AllTraffic"
        startup_timeout: 900
    "#]]);
}

#[test]
fn an_image_of_another_region_is_out_of_reach() {
    own(&format!("{OWN}:1"), "ml.m5.xlarge").is_fine();
    own(&format!("{OWN}:1"), "ml.m5.xlarge").region("eu-west-1").findings(expect![[r#"
        error HF2015 2:52: the image is in us-east-1, but SageMaker pulls only from its own Region | copy it to a repository in eu-west-1; `${region}` in `image` keeps it right
    "#]]);
    own("123456789012.dkr.ecr.${region}.amazonaws.com/own:1", "ml.m5.xlarge").region("eu-west-1").is_fine();
}

#[test]
fn registries_beside_ecr_are_out_of_reach() {
    let images = ["acme/own:1", "docker.io/acme/own:1", "registry:5000/own:1", "public.ecr.aws/acme/own:1"];
    findings(
        &images.map(|image| own(image, "ml.m5.xlarge")),
        expect![[r#"
            error HF2015 2:52: the image is in Docker Hub, but SageMaker pulls only from ECR in its own Region | copy it to a repository in us-east-1
            error HF2015 2:52: the image is in the registry `docker.io`, but SageMaker pulls only from ECR in its own Region | copy it to a repository in us-east-1
            error HF2015 2:52: the image is in the registry `registry:5000`, but SageMaker pulls only from ECR in its own Region | copy it to a repository in us-east-1
            error HF2015 2:52: the image is in the registry `public.ecr.aws`, but SageMaker pulls only from ECR in its own Region | copy it to a repository in us-east-1
        "#]],
    );
}

#[test]
fn an_image_of_ones_own_is_no_choice_and_its_repository_is_granted() {
    own(&format!("{OWN}:1"), "ml.m5.xlarge").only("image").choices(expect![[""]]);
    own(&format!("{OWN}:1"), "ml.m5.xlarge").access(expect![[r#"
        {"Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:DescribeLogStreams","logs:PutLogEvents"],"Effect":"Allow","Resource":{"Fn::Sub":"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/*"},"Sid":"WriteLogs"}
        {"Action":["cloudwatch:PutMetricData","ecr:GetAuthorizationToken"],"Effect":"Allow","Resource":"*","Sid":"ActionsWithoutAResource"}
        {"Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],"Effect":"Allow","Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ecr:us-east-1:123456789012:repository/own"}],"Sid":"PullImages"}
    "#]]);
}

#[test]
fn an_ami_that_is_pinned_stays_where_no_source_speaks_of_its_cuda() {
    let run = own(&format!("{OWN}:1-cu121"), "ml.g5.xlarge").only("inference AMI");
    run.choices(expect![[""]]);
    let (cuda, family) = (("cuda", "12.1"), ("family", "g5"));
    let pinned = run.pinned("inference-ami", "al2-ami-sagemaker-inference-gpu-2-1", &[cuda, family]);
    pinned.choices(expect![[r#"
        inference AMI = al2-ami-sagemaker-inference-gpu-2-1 [pinned]
    "#]]);
}
