//! Azure clouds, by their hosts and scopes. Pure.

/// Azure cloud of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// azure.com; also for loopback addresses and unknown hosts.
    Public,
    /// azure.us.
    UsGovernment,
    /// azure.cn.
    China,
}

/// Addresses of one cloud.
struct Addresses {
    cloud: Cloud,
    /// Domain of its hosts.
    domain: &'static str,
    /// Suffix of the hosts of Foundry projects.
    projects: &'static str,
    /// Host of Azure Resource Manager.
    arm: &'static str,
    /// Scope of tokens for projects, if known.
    project_scope: Option<&'static str>,
}

const PUBLIC: Addresses = Addresses {
    cloud: Cloud::Public,
    domain: ".azure.com",
    projects: ".services.ai.azure.com",
    arm: "management.azure.com",
    project_scope: Some("https://ai.azure.com/.default"),
};

const US_GOVERNMENT: Addresses = Addresses {
    cloud: Cloud::UsGovernment,
    domain: ".azure.us",
    projects: ".services.ai.azure.us",
    arm: "management.usgovcloudapi.net",
    project_scope: Some("https://ai.azure.us/.default"),
};

const CHINA: Addresses = Addresses {
    cloud: Cloud::China,
    domain: ".azure.cn",
    projects: ".services.ai.azure.cn",
    arm: "management.chinacloudapi.cn",
    project_scope: None,
};

const ALL: [Addresses; 3] = [PUBLIC, US_GOVERNMENT, CHINA];

impl Cloud {
    /// Returns the cloud of a host, by its domain.
    pub(crate) fn of_host(host: &str) -> Self {
        ALL.iter().find(|one| host.ends_with(one.domain)).map_or(Self::Public, |one| one.cloud)
    }

    /// True for a host that serves Foundry projects.
    pub(crate) fn is_project_host(host: &str) -> bool {
        ALL.iter().any(|one| host.strip_suffix(one.projects).is_some_and(|account| !account.is_empty()))
    }

    /// True for a host of Azure Resource Manager.
    pub(crate) fn is_arm_host(host: &str) -> bool {
        ALL.iter().any(|one| host.eq_ignore_ascii_case(one.arm))
    }

    /// True for a host of an account that serves requests to deployments.
    pub(crate) fn is_inference_host(host: &str) -> bool {
        const SERVICES: [&str; 3] = [".services.ai", ".openai", ".cognitiveservices"];
        ALL.iter().filter_map(|one| host.strip_suffix(one.domain)).any(|rest| {
            SERVICES.iter().any(|service| rest.strip_suffix(service).is_some_and(|account| !account.is_empty()))
        })
    }

    /// Scope of tokens for requests to deployments.
    #[must_use]
    pub fn inference_scope(self) -> String {
        format!("https://cognitiveservices{}/.default", self.addresses().domain)
    }

    /// Host of Azure Resource Manager.
    pub(crate) fn arm_host(self) -> &'static str {
        self.addresses().arm
    }

    /// Scope of tokens for Foundry projects, if known.
    pub(crate) fn project_scope(self) -> Option<&'static str> {
        self.addresses().project_scope
    }

    /// Scope of tokens for Azure Resource Manager.
    pub(crate) fn arm_scope(self) -> String {
        format!("https://{}/.default", self.arm_host())
    }

    fn addresses(self) -> &'static Addresses {
        match self {
            Self::Public => &PUBLIC,
            Self::UsGovernment => &US_GOVERNMENT,
            Self::China => &CHINA,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_hosts_and_scopes() {
        for (cloud, project, arm, scope) in [
            (Cloud::Public, "a.services.ai.azure.com", "management.azure.com", Some("https://ai.azure.com/.default")),
            (
                Cloud::UsGovernment,
                "a.services.ai.azure.us",
                "management.usgovcloudapi.net",
                Some("https://ai.azure.us/.default"),
            ),
            (Cloud::China, "a.services.ai.azure.cn", "management.chinacloudapi.cn", None),
        ] {
            assert!(Cloud::is_project_host(project) && Cloud::is_arm_host(arm) && !Cloud::is_project_host(arm));
            assert_eq!((Cloud::of_host(project), cloud.arm_host(), cloud.project_scope()), (cloud, arm, scope));
            assert_eq!(cloud.arm_scope(), format!("https://{arm}/.default"));
        }
        for host in ["evilmanagement.azure.com", "management.azure.com.example", "sub.management.azure.com"] {
            assert!(!Cloud::is_arm_host(host), "{host}");
        }
        for host in [".services.ai.azure.com", "evilservices.ai.azure.com", "a.services.ai.azure.com.example"] {
            assert!(!Cloud::is_project_host(host), "{host}");
        }
        for host in ["", "localhost", "127.0.0.1", "a.example", "evilazure.us", "a.azure.us.example"] {
            assert_eq!(Cloud::of_host(host), Cloud::Public, "{host}");
        }
    }
}
