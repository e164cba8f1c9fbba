//! Where peers are known to answer otherwise than AWS (moto 5.2.5, ministack 1.5.33).

/// One expectation that one peer is excused from, and what it answers instead.
pub(super) struct Waiver {
    /// The peer.
    pub(super) peer: &'static str,
    /// The expectation.
    pub(super) expectation: &'static str,
    /// A part of what it answers.
    pub(super) answers: &'static str,
    /// Why.
    pub(super) why: &'static str,
}

/// Every excuse: peer, expectation, a part of what it answers, why.
pub(super) const WAIVERS: &[Waiver] = &[
    row(
        "moto",
        "the_same_token_and_request_are_one_creation",
        "CreateStack: AlreadyExists",
        "it does not read request tokens",
    ),
    row(
        "moto",
        "the_same_token_for_another_request_is_refused",
        "CreateStack: AlreadyExists",
        "it does not read request tokens",
    ),
    row("moto", "a_token_is_remembered_beyond_the_stack", "made again", "it does not read request tokens"),
    row("moto", "a_named_role_needs_the_named_capability", "created", "it does not ask for capabilities"),
    row("moto", "events_carry_the_token", "2 of 2 events are without it", "it does not keep request tokens"),
    row("moto", "resources_have_events_in_two_phases", "[]", "it tells events of stacks only"),
    row(
        "moto",
        "a_protected_stack_is_not_deleted",
        "Ok(())",
        "it stores termination protection and deletes all the same",
    ),
    row("moto", "a_deleted_stack_says_when", "deleted_at: None", "it does not keep the time of deletion"),
    row("moto", "listings_are_paged", "ListStacks: pages of [", "it pages DescribeStacks only"),
    row(
        "moto",
        "a_change_in_place_replaces_nothing",
        "replacement None, because None",
        "its change sets do not look into resources",
    ),
    row(
        "moto",
        "a_create_only_change_replaces",
        "replacement None, because None",
        "its change sets do not look into resources",
    ),
    row("moto", "an_executed_change_set_updates", "\"Fixed\": \"one\"", "its updates leave outputs as they were"),
    row("moto", "an_updated_stack_says_when", "updated_at: None", "it does not keep the time of updates"),
    row(
        "moto",
        "a_replacement_is_another_resource",
        "and the old one: true",
        "it changes roles in place, whatever changes",
    ),
    row(
        "moto",
        "an_update_passes_through_cleanup",
        "[\"UPDATE_COMPLETE\", \"UPDATE_IN_PROGRESS\"]",
        "it does not have this status",
    ),
    row("moto", "the_template_of_a_change_set_comes_back", "GetTemplate: ", "its GetTemplate looks at StackName alone"),
    row("moto", "a_change_set_is_executed_once", "Ok(())", "it executes a change set as often as it is asked to"),
    row("moto", "a_taken_name_is_already_exists", "Ok(ChangeSetIds", "its change sets may share a name"),
    row(
        "moto",
        "change_sets_are_listed_by_the_stacks_id",
        "CreateChangeSet: NotFound",
        "it knows stacks of change sets by name only",
    ),
    row(
        "moto",
        "an_endpoint_has_the_name_it_was_given",
        "Some(\"named-endpoint-Endpoint-",
        "its stacks name endpoints by themselves",
    ),
    row(
        "moto",
        "a_failed_creation_rolls_back_and_says_why",
        "CreateStack: AlreadyExists",
        "the failure of a resource is the answer of the call",
    ),
    row(
        "moto",
        "an_update_of_a_rolled_back_stack_is_refused",
        "CreateStack: AlreadyExists",
        "no stack ever rolls back",
    ),
    row(
        "moto",
        "a_body_that_is_no_template_is_refused",
        "ServiceFault(\"HTTP 500 of text/html",
        "it breaks on a body that is no JSON or YAML",
    ),
    row("moto", "a_reference_to_nothing_is_refused", "HTTP 500", "it breaks half-way"),
    row("ministack", "a_new_stack_was_never_updated", "updated_at: Some(", "it counts creation as an update"),
    row(
        "ministack",
        "the_same_token_and_request_are_one_creation",
        "CreateStack: AlreadyExists",
        "it does not compare request tokens",
    ),
    row(
        "ministack",
        "the_same_token_for_another_request_is_refused",
        "CreateStack: AlreadyExists",
        "it does not compare request tokens",
    ),
    row("ministack", "a_token_is_remembered_beyond_the_stack", "made again", "it does not compare request tokens"),
    row(
        "ministack",
        "a_named_role_needs_the_named_capability",
        "created",
        "it asks for capabilities only where it also checks credentials",
    ),
    row(
        "ministack",
        "resources_have_events_in_two_phases",
        "[(\"CREATE_IN_PROGRESS\", false), (\"CREATE_COMPLETE\", true)]",
        "it tells one phase",
    ),
    row("ministack", "a_deleted_stack_says_when", "deleted_at: None", "it does not keep the time of deletion"),
    row(
        "ministack",
        "an_update_passes_through_cleanup",
        "[\"UPDATE_COMPLETE\", \"UPDATE_IN_PROGRESS\"]",
        "it does not have this status",
    ),
    row(
        "ministack",
        "change_sets_are_listed_by_the_stacks_id",
        "ListChangeSets: 0",
        "it lists change sets by the name of the stack only",
    ),
    row(
        "ministack",
        "a_missing_endpoint_is_none",
        "Unreadable(\"HTTP 400 of application/json\")",
        "it has no SageMaker",
    ),
    row(
        "ministack",
        "an_endpoint_shows_its_configuration",
        "Unrecognized resource types: [AWS::SageMaker::Endpoint",
        "it has no SageMaker",
    ),
    row(
        "ministack",
        "an_endpoint_has_the_name_it_was_given",
        "Unrecognized resource types: [AWS::SageMaker::Endpoint",
        "it has no SageMaker",
    ),
    row(
        "ministack",
        "a_failed_creation_rolls_back_and_says_why",
        "CREATE_COMPLETE",
        "two stacks may make the same role",
    ),
    row(
        "ministack",
        "an_update_of_a_rolled_back_stack_is_refused",
        "CREATE_COMPLETE",
        "two stacks may make the same role",
    ),
    row(
        "ministack",
        "a_reference_to_nothing_is_refused",
        "created",
        "it checks references only where it knows the property",
    ),
];

const fn row(peer: &'static str, expectation: &'static str, answers: &'static str, why: &'static str) -> Waiver {
    Waiver { peer, expectation, answers, why }
}
