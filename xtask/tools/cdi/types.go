// Package cdi keeps the types that controller-gen reads among the module's requirements.
package cdi

import _ "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
