//! Statuses that answer questions about themselves, so that nobody else lists strings.
//!
//! Values: CloudFormation API model 2010-05-15 (botocore 1.44.5).

use super::wire::wire_enum;

wire_enum! {
    /// Where a stack stands.
    StackStatus {
        CreateInProgress = "CREATE_IN_PROGRESS",
        CreateFailed = "CREATE_FAILED",
        CreateComplete = "CREATE_COMPLETE",
        RollbackInProgress = "ROLLBACK_IN_PROGRESS",
        RollbackFailed = "ROLLBACK_FAILED",
        RollbackComplete = "ROLLBACK_COMPLETE",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        DeleteFailed = "DELETE_FAILED",
        DeleteComplete = "DELETE_COMPLETE",
        UpdateInProgress = "UPDATE_IN_PROGRESS",
        UpdateCompleteCleanupInProgress = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateComplete = "UPDATE_COMPLETE",
        UpdateFailed = "UPDATE_FAILED",
        UpdateRollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS",
        UpdateRollbackFailed = "UPDATE_ROLLBACK_FAILED",
        UpdateRollbackCompleteCleanupInProgress = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateRollbackComplete = "UPDATE_ROLLBACK_COMPLETE",
        ReviewInProgress = "REVIEW_IN_PROGRESS",
        ImportInProgress = "IMPORT_IN_PROGRESS",
        ImportComplete = "IMPORT_COMPLETE",
        ImportRollbackInProgress = "IMPORT_ROLLBACK_IN_PROGRESS",
        ImportRollbackFailed = "IMPORT_ROLLBACK_FAILED",
        ImportRollbackComplete = "IMPORT_ROLLBACK_COMPLETE",
    }
}

impl StackStatus {
    /// Is an operation running? `REVIEW_IN_PROGRESS` waits for a person, so it is not.
    pub fn is_running(&self) -> bool {
        *self != Self::ReviewInProgress && self.as_str().ends_with("_IN_PROGRESS")
    }

    /// Nothing is going on.
    pub fn is_settled(&self) -> bool {
        !self.is_running()
    }

    /// The last thing asked for has happened, and the stack is whole.
    pub fn landed(&self) -> bool {
        matches!(self, Self::CreateComplete | Self::UpdateComplete | Self::ImportComplete | Self::DeleteComplete)
    }

    /// May it be updated as it stands?
    pub fn is_updatable(&self) -> bool {
        matches!(
            self,
            Self::CreateComplete
                | Self::UpdateComplete
                | Self::UpdateRollbackComplete
                | Self::ImportComplete
                | Self::ImportRollbackComplete
        )
    }

    /// Left over from a creation that never worked: holds nothing, can only be deleted.
    pub fn is_leftover(&self) -> bool {
        matches!(self, Self::RollbackComplete | Self::ReviewInProgress)
    }

    /// Did the service take back, or is it taking back, what was asked?
    pub fn is_rollback(&self) -> bool {
        self.as_str().contains("ROLLBACK_")
    }

    /// Did a deletion begin, however far it came?
    pub fn is_deletion(&self) -> bool {
        matches!(self, Self::DeleteInProgress | Self::DeleteFailed | Self::DeleteComplete)
    }

    /// Did an update begin, however it went on?
    pub fn is_update(&self) -> bool {
        self.as_str().starts_with("UPDATE_")
    }

    /// Are replaced and removed resources being deleted? What fails there changes no status.
    pub fn is_cleaning_up(&self) -> bool {
        matches!(self, Self::UpdateCompleteCleanupInProgress | Self::UpdateRollbackCompleteCleanupInProgress)
    }

    /// Is what was asked being taken back?
    pub fn is_rolling_back(&self) -> bool {
        matches!(self, Self::RollbackInProgress | Self::UpdateRollbackInProgress | Self::ImportRollbackInProgress)
    }

    /// Does it stand as its last creation or update was to leave it?
    pub fn is_plainly_complete(&self) -> bool {
        matches!(self, Self::CreateComplete | Self::UpdateComplete)
    }

    /// Gone; describable only by its id.
    pub fn is_deleted(&self) -> bool {
        *self == Self::DeleteComplete
    }

    /// Every status in which an operation runs: the filter for shared polls.
    pub fn running() -> Vec<Self> {
        Self::KNOWN.iter().filter(|status| status.is_running()).cloned().collect()
    }
}

wire_enum! {
    /// Where one resource of a stack stands.
    ResourceStatus {
        CreateInProgress = "CREATE_IN_PROGRESS",
        CreateFailed = "CREATE_FAILED",
        CreateComplete = "CREATE_COMPLETE",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        DeleteFailed = "DELETE_FAILED",
        DeleteComplete = "DELETE_COMPLETE",
        DeleteSkipped = "DELETE_SKIPPED",
        UpdateInProgress = "UPDATE_IN_PROGRESS",
        UpdateFailed = "UPDATE_FAILED",
        UpdateComplete = "UPDATE_COMPLETE",
    }
}

impl ResourceStatus {
    /// Did it fail?
    pub fn is_failure(&self) -> bool {
        self.as_str().ends_with("_FAILED")
    }

    /// Is it being worked on?
    pub fn is_running(&self) -> bool {
        self.as_str().ends_with("_IN_PROGRESS")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn review_waits_for_nobody_and_rollback_complete_is_healthy_only_after_an_update() {
        assert!(StackStatus::ReviewInProgress.is_settled() && StackStatus::ReviewInProgress.is_leftover());
        assert!(StackStatus::UpdateRollbackComplete.is_updatable() && !StackStatus::UpdateRollbackComplete.landed());
        assert!(!StackStatus::RollbackComplete.is_updatable());
        assert!(StackStatus::from("SOMETHING_NEW_IN_PROGRESS").is_running());
        assert_eq!(StackStatus::running().len(), 9);
    }
}
