package dev.arc2face.gateway.triton;

import dev.arc2face.inference.ModelConfig;
import dev.arc2face.inference.ModelMetadataResponse;

/** What Triton says about one model, unchecked. */
record Description(ModelMetadataResponse metadata, ModelConfig config) {}
