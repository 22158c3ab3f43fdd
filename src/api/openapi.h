// The API described in OpenAPI 3.1, written from the table that requests are dispatched by and from the `fields` of
// what it takes and gives. Served as /v1/openapi.json, printed by `freehold schema --api`, kept as
// docs/operations/openapi.json (a test holds it to this).
#pragma once

#include "codec/json.h"

namespace freehold::api {

// Made once.
const codec::Json& api_description();

}  // namespace freehold::api
