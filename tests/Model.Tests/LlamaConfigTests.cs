using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests;

public sealed class LlamaConfigTests
{
    [TestCase("architectures", "[\"GPT2LMHeadModel\"]", "GPT2LMHeadModel")]
    [TestCase("model_type", "\"qwen2\"", "qwen2")]
    [TestCase("hidden_act", "\"gelu\"", "gelu")]
    [TestCase("rope_scaling", "{\"type\":\"yarn\",\"factor\":2}", "yarn")]
    [TestCase("rope_scaling", "{\"type\":\"linear\"}", "factor")]
    [TestCase("sliding_window", "4096", "sliding_window")]
    [TestCase("num_key_value_heads", "3", "divisor")]
    [TestCase("hidden_size", "-1", "hidden_size")]
    [TestCase("head_dim", "2000000000", "head_dim")]
    [TestCase("hidden_size", "\"64\"", "hidden_size")]
    [TestCase("eos_token_id", "[2, 4000]", "4000")]
    [TestCase("rms_norm_eps", "0", "rms_norm_eps")]
    [TestCase("quantization_config", "{}", "quantization_config")]
    [TestCase("rope_scaling", "\"linear\"", "expected an object")]
    [TestCase("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8}", "low_freq_factor\" is missing")]
    [TestCase("rope_scaling", "{\"rope_type\":\"linear\",\"type\":\"llama3\",\"factor\":2}", "\"type\" is \"llama3\"")]
    [TestCase("rope_scaling", "{\"rope_type\":\"default\",\"factor\":2}", "factor")]
    [TestCase("rope_parameters", "{\"rope_theta\":500000,\"partial_rotary_factor\":0.5}", "partial_rotary_factor")]
    [TestCase("rope_parameters", "{\"full_attention\":{\"rope_theta\":10000}}", "full_attention")]
    [TestCase("partial_rotary_factor", "0.5", "partial_rotary_factor")]
    [TestCase("no_rope_layers", "[1, 0]", "no_rope_layers")]
    [TestCase("layer_types", "[\"full_attention\", \"sliding_attention\"]", "layer_types")]
    [TestCase("final_logit_softcapping", "30.0", "final_logit_softcapping")]
    [TestCase("logits_scaling", "8", "logits_scaling")]
    [TestCase("num_local_experts", "8", "num_local_experts")]
    public void What_is_not_supported_is_named(string field, string value, string expected)
    {
        var json = Json();
        json[field] = JsonNode.Parse(value);
        var file = Written(json);
        var error = Assert.Throws<SafeLlamaException>(() => LlamaConfig.Load(file))!;
        Assert.That(error.Message, Does.Contain("config.json").And.Contain(expected));
        Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
    }

    [TestCase("partial_rotary_factor", "1.0")]
    [TestCase("no_rope_layers", "[1, 1]")]
    [TestCase("layer_types", "[\"full_attention\", \"full_attention\"]")]
    [TestCase("final_logit_softcapping", "null")]
    [TestCase("rope_scaling", "{}")]
    [TestCase("rope_parameters", "{\"rope_type\":\"default\",\"rope_theta\":10000.0}")]
    public void What_says_no_more_than_LLaMA_does_is_no_hindrance(string field, string value)
    {
        var json = Json();
        json[field] = JsonNode.Parse(value);
        Assert.That(LlamaConfig.Load(Written(json)).Rope, Is.EqualTo(new RopeConfig()));
    }

    [TestCase("500000", "{\"rope_type\":\"default\",\"rope_theta\":10000.0}", "null", "rope_theta")]
    [TestCase("null", "{\"rope_type\":\"default\",\"rope_theta\":10000.0}", "{\"type\":\"linear\",\"factor\":2}",
        "different rotary embeddings")]
    public void Old_and_new_fields_that_disagree_are_refused(
        string theta, string newer, string older, string expected)
    {
        var json = Json();
        json["rope_theta"] = JsonNode.Parse(theta);
        json["rope_parameters"] = JsonNode.Parse(newer);
        json["rope_scaling"] = JsonNode.Parse(older);
        Assert.That(
            () => LlamaConfig.Load(Written(json)),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(expected));
    }

    [Test]
    public void Old_and_new_fields_that_agree_are_one()
    {
        var json = Json();
        json["rope_theta"] = 500000.0;
        json["rope_parameters"] =
            JsonNode.Parse("{\"rope_type\":\"linear\",\"rope_theta\":500000.0,\"factor\":2.0}");
        json["rope_scaling"] = JsonNode.Parse("{\"type\":\"linear\",\"factor\":2.0}");
        Assert.That(
            LlamaConfig.Load(Written(json)).Rope,
            Is.EqualTo(new RopeConfig { Type = RopeType.Linear, Theta = 500000, Factor = 2 }));
    }

    [Test]
    public void The_oldest_files_get_the_defaults_of_their_time()
    {
        var config = LlamaConfig.Load(Path.Combine(TestFiles.Reference, "models", "A-mha"));
        Assert.Multiple(() =>
        {
            Assert.That(config.KeyValueHeads, Is.EqualTo(config.Heads));
            Assert.That(config.HeadDim, Is.EqualTo(16));
            Assert.That(config.Rope, Is.EqualTo(new RopeConfig()));
            Assert.That(config.AttentionBias || config.MlpBias || config.TieWordEmbeddings, Is.False);
        });
    }

    [Test]
    public void A_field_given_twice_is_refused()
    {
        var file = Path.Combine(TestFiles.NewFolder(), "config.json");
        File.WriteAllText(file, "{\"hidden_size\": 8, \"hidden_size\": 16}");
        var error = Assert.Throws<SafeLlamaException>(() => LlamaConfig.Load(file))!;
        Assert.That(error.Message, Does.Contain("config.json").And.Contain("given twice"));
    }

    [Test]
    public void A_missing_file_says_what_a_model_folder_holds()
    {
        var error = Assert.Throws<SafeLlamaException>(() => LlamaConfig.Load("nowhere"))!;
        Assert.That(error.Message, Does.Contain("not found").And.Contain("config.json and model.safetensors"));
        Assert.That(error.Code, Is.EqualTo(ExitCode.Usage));
    }

    private static JsonNode Json() =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(TestFiles.Reference, "models", "A-mha", "config.json")))!;

    private static string Written(JsonNode json)
    {
        var file = Path.Combine(TestFiles.NewFolder(), "config.json");
        File.WriteAllText(file, json.ToJsonString());
        return file;
    }
}
