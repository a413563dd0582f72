using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests;

public sealed class LoraAdapterTests
{
    private static readonly ReferenceBackend Backend = new();

    [OneTimeTearDown]
    public void Close() => Backend.Dispose();

    [Test]
    public void A_new_adapter_changes_nothing_yet()
    {
        using var adapter = LoraAdapter.Create(Backend, TinyLlama.Config, new LoraConfig(), seed: 1);
        Assert.That(adapter.ChangesNothing, Is.True);
        Assert.That(adapter.Pairs.Select(p => p.Module), Is.EqualTo(new[]
        {
            "model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj",
            "model.layers.1.self_attn.q_proj", "model.layers.1.self_attn.v_proj",
        }));
        var a = adapter.Pairs.First().A.Value.ReadDoubles();
        Assert.That(a.Max(Math.Abs), Is.LessThanOrEqualTo(1 / Math.Sqrt(18)).And.GreaterThan(0.8 / Math.Sqrt(18)));
    }

    [Test]
    public void The_parameters_of_a_7B_adapter_are_those_of_the_paper()
    {
        var config = TinyLlama.Config with
        {
            HiddenSize = 4096,
            IntermediateSize = 11008,
            Layers = 32,
            Heads = 32,
            KeyValueHeads = 32,
            HeadDim = 128
        };
        var parameters = Enumerable.Range(0, config.Layers)
            .Sum(_ => 2 * 8 * (LlamaShapes.LinearShape(config, "q_proj")[0] + config.HiddenSize));
        Assert.That(parameters, Is.EqualTo(4_194_304));
    }

    [Test]
    public void An_adapter_that_matches_no_linear_is_refused()
    {
        var error = Assert.Throws<SafeLlamaException>(
            () => LoraAdapter.Create(Backend, TinyLlama.Config, new LoraConfig { Targets = ["query_key_value"] },
                seed: 1))!;
        Assert.That(
            error.Message, Does.Contain("matches no linear").And.Contain("query_key_value").And.Contain("q_proj"));
    }

    [Test]
    public void Saved_and_loaded_it_is_the_same_adapter()
    {
        var folder = TestFiles.NewFolder();
        using var adapter = TinyLlama.Adapter(Backend, TinyLlama.Config);
        PeftFolder.Save(adapter, folder, "tiny");
        var first = File.ReadAllBytes(Path.Combine(folder, PeftFolder.WeightsName));
        using var loaded = PeftFolder.Load(Backend, TinyLlama.Config, folder);
        PeftFolder.Save(loaded, folder, "tiny");
        Assert.That(File.ReadAllBytes(Path.Combine(folder, PeftFolder.WeightsName)), Is.EqualTo(first));
        Assert.That(loaded.Pairs.Select(p => p.Scale), Is.EqualTo(adapter.Pairs.Select(p => p.Scale)));
    }

    [Test]
    public void An_adapter_for_another_model_is_refused()
    {
        var folder = TestFiles.NewFolder();
        using var adapter = TinyLlama.Adapter(Backend, TinyLlama.Config);
        PeftFolder.Save(adapter, folder, "tiny");
        var wider = Assert.Throws<SafeLlamaException>(() => PeftFolder.Load(Backend,
            TinyLlama.Config with { HiddenSize = 20 }, folder))!;
        Assert.That(wider.Message, Does.Contain("another one").And.Contain("lora_A"));
        var shallower = Assert.Throws<SafeLlamaException>(() => PeftFolder.Load(Backend,
            TinyLlama.Config with { Layers = 1 }, folder))!;
        Assert.That(shallower.Message, Does.Contain("model.layers.1").And.Contain("another model"));
    }

    [TestCase("target_modules", "\"(\"", "pattern")]
    [TestCase("target_modules", "\"([a-z0-9._]+)+[a-z][A-Z]\"", "pattern")]      // would try 2³⁰ ways
    [TestCase("init_lora_weights", "\"pissa_niter_4\"", "init_lora_weights")]
    [TestCase("init_lora_weights", "\"lora_ga\"", "init_lora_weights")]
    [TestCase("init_lora_weights", "\"OLoRA\"", "init_lora_weights")]
    [TestCase("init_lora_weights", "\"CorDA\"", "init_lora_weights")]
    [TestCase("init_lora_weights", "\"something new\"", "init_lora_weights")]
    [TestCase("lora_alpha", "\"16\"", "\"lora_alpha\" is \"16\", expected a number")]
    [TestCase("target_modules", "[]", "target_modules")]
    [TestCase("layers_to_transform", "[0.5]", "layers_to_transform")]
    [TestCase("alora_invocation_tokens", "[1, 2]", "alora_invocation_tokens")]
    [TestCase("rank_pattern", "{\"q_proj\": -1}", "rank_pattern")]
    [TestCase("lora_dropout", "1", "lora_dropout")]
    public void What_this_engine_would_compute_otherwise_is_refused(string field, string value, string expected)
    {
        var folder = TestFiles.NewFolder();
        using var adapter = TinyLlama.Adapter(Backend, TinyLlama.Config);
        PeftFolder.Save(adapter, folder, "tiny");
        var file = Path.Combine(folder, PeftFolder.ConfigName);
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(file))!;
        json[field] = System.Text.Json.Nodes.JsonNode.Parse(value);
        File.WriteAllText(file, json.ToJsonString());
        var error =
            Assert.Throws<SafeLlamaException>(() => PeftFolder.Load(Backend, TinyLlama.Config, folder).Dispose())!;
        Assert.That(error.Message, Does.Contain(expected).And.Not.Contain('\n'));
        Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
    }

    [Test]
    public void An_alpha_of_zero_changes_nothing_and_says_so()
    {
        var folder = TestFiles.NewFolder();
        using var adapter = TinyLlama.Adapter(Backend, TinyLlama.Config);
        PeftFolder.Save(adapter, folder, "tiny");
        var file = Path.Combine(folder, PeftFolder.ConfigName);
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(file))!;
        json["lora_alpha"] = 0;
        json["alpha_pattern"] = new System.Text.Json.Nodes.JsonObject();
        File.WriteAllText(file, json.ToJsonString());
        using var loaded = PeftFolder.Load(Backend, TinyLlama.Config, folder);
        Assert.That(adapter.ChangesNothing, Is.False);
        Assert.That(loaded.ChangesNothing);
    }

    [Test]
    public void A_pickle_is_not_read_and_the_error_says_why()
    {
        var folder = TestFiles.NewFolder();
        using var adapter = TinyLlama.Adapter(Backend, TinyLlama.Config);
        PeftFolder.Save(adapter, folder, "tiny");
        File.Move(
            Path.Combine(folder, PeftFolder.WeightsName), Path.Combine(folder, "adapter_model.bin"));
        var error =
            Assert.Throws<SafeLlamaException>(() => PeftFolder.Load(Backend, TinyLlama.Config, folder).Dispose())!;
        Assert.That(error.Message, Does.Contain("pickle").And.Contain("safe_serialization"));
    }

    [Test]
    public void A_merge_that_rounds_away_leaves_no_file()
    {
        var folder = TestFiles.NewFolder();
        using (var drawn = LlamaWeights.InitializeRandom(Backend, TinyLlama.Config, seed: 1))
        {
            drawn.Save(Path.Combine(folder, "model.safetensors"), DType.BFloat16);
        }

        using var weights = LlamaWeights.Load(Backend, TinyLlama.Config, folder);
        using var adapter = TinyLlama.Adapter(Backend, TinyLlama.Config);
        foreach (var pair in adapter.Pairs)
        {
            pair.B.Value.Write(Array.ConvertAll(pair.B.Value.ReadDoubles(), b => 1e-30 * b));
        }

        var path = Path.Combine(folder, "merged.safetensors");
        var error = Assert.Throws<SafeLlamaException>(() => AdapterMerge.Write(weights, adapter, path))!;
        Assert.That(error.Message, Does.Contain("BFloat16"));
        Assert.That(Directory.EnumerateFiles(folder, "merged*"), Is.Empty);
    }

    [Test]
    public void Merging_a_zero_adapter_is_refused()
    {
        using var weights = LlamaWeights.InitializeRandom(Backend, TinyLlama.Config, seed: 1);
        using var adapter = LoraAdapter.Create(Backend, TinyLlama.Config, new LoraConfig(), seed: 1);
        var path = Path.Combine(TestFiles.NewFolder(), "model.safetensors");
        var error = Assert.Throws<SafeLlamaException>(() => AdapterMerge.Write(weights, adapter, path))!;
        Assert.That(error.Message, Does.Contain("change nothing"));
        Assert.That(File.Exists(path), Is.False);
    }
}
