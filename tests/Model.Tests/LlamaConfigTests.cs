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
    public void What_is_not_supported_is_named(string field, string value, string expected)
    {
        var json =
            JsonNode.Parse(File.ReadAllText(Path.Combine(TestFiles.Reference, "models", "A-mha", "config.json")))!;
        json[field] = JsonNode.Parse(value);
        var file = Path.Combine(TestFiles.NewFolder(), "config.json");
        File.WriteAllText(file, json.ToJsonString());
        var error = Assert.Throws<SafeLlamaException>(() => LlamaConfig.Load(file))!;
        Assert.That(error.Message, Does.Contain("config.json").And.Contain(expected));
        Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
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
}
