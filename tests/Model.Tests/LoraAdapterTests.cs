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
    public void Every_variant_begins_at_the_base_model([Values] LoraVariant variant)
    {
        using var weights = LlamaWeights.InitializeRandom(Backend, TinyLlama.Config, seed: 1);
        using var adapter = LoraAdapter.Create(
            Backend, weights, new LoraConfig { Rank = 3, Targets = LlamaShapes.LinearNames, Variant = variant },
            seed: 1);

        // Fp64 sums in another order; an A or B that began elsewhere moves the loss in its second digit.
        Assert.That(Loss(weights, adapter), Is.EqualTo(Loss(weights, null)).Within(1e-12));
        Assert.That(
            adapter.Parameters.Count(), Is.EqualTo(adapter.Pairs.Count * (variant == LoraVariant.Dora ? 3 : 2)));
    }

    [Test]
    public void Saved_loaded_or_merged_it_computes_the_same([Values] LoraVariant variant)
    {
        var folder = TestFiles.NewFolder();
        using var weights = LlamaWeights.InitializeRandom(Backend, TinyLlama.Config, seed: 1);
        using var adapter = TinyLlama.Adapter(Backend, weights, variant);
        var expected = Loss(weights, adapter);
        Assert.That(expected, Is.Not.EqualTo(Loss(weights, null)).Within(1e-3), "the adapter matters");
        PeftFolder.Save(adapter, folder, "tiny");
        using var loaded = PeftFolder.Load(Backend, TinyLlama.Config, folder);
        Assert.That(loaded.Config.Variant, Is.EqualTo(
            variant == LoraVariant.Dora ? LoraVariant.Dora : LoraVariant.Lora), "PiSSA is saved as plain LoRA");
        Assert.That(loaded.Config.Rank, Is.EqualTo(variant == LoraVariant.Pissa ? 6 : 3));
        Assert.That(
            loaded.Pairs.Select(p => p.Scale), Is.EqualTo(adapter.Pairs.Select(p => p.Scale)), "twice r and twice α");

        // The file holds fp32.
        Assert.That(Loss(weights, loaded), Is.EqualTo(expected).Within(1e-5));
        var path = Path.Combine(folder, "model.safetensors");
        AdapterMerge.Write(weights, adapter, path);
        File.WriteAllText(Path.Combine(folder, "config.json"), "{}");
        File.Delete(Path.Combine(folder, PeftFolder.WeightsName));
        using var merged = LlamaWeights.Load(Backend, TinyLlama.Config, folder);
        Assert.That(Loss(merged, null), Is.EqualTo(expected).Within(1e-5));
    }

    [Test]
    public void Turned_to_zero_an_adapter_is_the_base_and_to_one_itself([Values] LoraVariant variant)
    {
        using var weights = LlamaWeights.InitializeRandom(Backend, TinyLlama.Config, seed: 1);
        using var adapter = TinyLlama.Adapter(Backend, weights, variant);
        var expected = Loss(weights, adapter);
        var strength = new AdapterStrength(Backend, weights, adapter);

        // A PiSSA in training is no addition to the base alone: what is loaded of it is plain LoRA.
        if (variant != LoraVariant.Pissa)
        {
            strength.Set(0);
            Assert.That(Loss(weights, adapter), Is.EqualTo(Loss(weights, null)).Within(1e-12));
        }

        strength.Set(0.5);
        Assert.That(Loss(weights, adapter), Is.Not.EqualTo(expected));
        strength.Set(1);
        Assert.That(Loss(weights, adapter), Is.EqualTo(expected), "the values that were loaded, bit by bit");
    }

    [Test]
    public void Parts_of_an_adapter_are_off_and_come_back([Values(LoraVariant.Lora, LoraVariant.Dora)] LoraVariant variant)
    {
        using var weights = LlamaWeights.InitializeRandom(Backend, TinyLlama.Config, seed: 1);
        using var adapter = TinyLlama.Adapter(Backend, weights, variant);
        var (trained, plain) = (Loss(weights, adapter), Loss(weights, null));
        var strength = new AdapterStrength(Backend, weights, adapter);
        strength.Set(1, new() { WithoutLinears = LlamaShapes.LinearNames });
        Assert.That(Loss(weights, adapter), Is.EqualTo(plain).Within(1e-12), "no linear");
        strength.Set(1, new() { WithoutLayers = [.. Enumerable.Range(0, TinyLlama.Config.Layers)] });
        Assert.That(Loss(weights, adapter), Is.EqualTo(plain).Within(1e-12), "no layer");
        strength.Set(1, new() { WithoutLinears = ["q_proj"], WithoutLayers = [0] });
        Assert.That(Loss(weights, adapter), Is.Not.EqualTo(plain).And.Not.EqualTo(trained));
        strength.Set(1);
        Assert.That(Loss(weights, adapter), Is.EqualTo(trained), "bit by bit");
    }

    [Test]
    public void A_lower_rank_is_the_product_without_its_smaller_directions()
    {
        using var weights = LlamaWeights.InitializeRandom(Backend, TinyLlama.Config, seed: 1);
        using var adapter = TinyLlama.Adapter(Backend, weights, LoraVariant.Lora);
        var (trained, plain) = (Loss(weights, adapter), Loss(weights, null));
        var rank = adapter.Pairs.Max(p => p.Rank);
        var strength = new AdapterStrength(Backend, weights, adapter);
        strength.Set(1, new() { Rank = 0 });
        Assert.That(Loss(weights, adapter), Is.EqualTo(plain).Within(1e-12));
        strength.Set(1, new() { Rank = 1 });
        Assert.That(Loss(weights, adapter), Is.Not.EqualTo(plain).And.Not.EqualTo(trained));
        strength.Set(1, new() { Rank = rank });
        Assert.That(Loss(weights, adapter), Is.EqualTo(trained));
    }

    [Test]
    public void A_rank_that_cannot_be_cut_is_refused_and_nothing_changes()
    {
        using var weights = LlamaWeights.InitializeRandom(Backend, TinyLlama.Config, seed: 1);
        using var adapter = TinyLlama.Adapter(Backend, weights, LoraVariant.Dora);
        var trained = Loss(weights, adapter);
        var strength = new AdapterStrength(Backend, weights, adapter);
        Assert.That(
            () => strength.Set(1, new() { Rank = 1 }),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("plain LoRA"));
        Assert.That(Loss(weights, adapter), Is.EqualTo(trained));
    }

    [Test]
    public void A_magnitude_that_is_missing_or_misshapen_is_named()
    {
        var folder = TestFiles.NewFolder();
        using var weights = LlamaWeights.InitializeRandom(Backend, TinyLlama.Config, seed: 1);
        using var plain = TinyLlama.Adapter(Backend, TinyLlama.Config);
        PeftFolder.Save(plain, folder, "tiny");
        var config = Path.Combine(folder, PeftFolder.ConfigName);
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"use_dora\": false", "\"use_dora\": true"));
        var error = Assert.Throws<SafeLlamaException>(
            () => PeftFolder.Load(Backend, TinyLlama.Config, folder).Dispose())!;
        Assert.That(error.Message, Does.Contain("lora_magnitude_vector").And.Contain("missing"));
        using var dora = TinyLlama.Adapter(Backend, weights, LoraVariant.Dora);
        var magnitudes = TestFiles.NewFolder();
        PeftFolder.Save(dora, magnitudes, "tiny");
        config = Path.Combine(magnitudes, PeftFolder.ConfigName);
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"use_dora\": true", "\"use_dora\": false"));
        error = Assert.Throws<SafeLlamaException>(
            () => PeftFolder.Load(Backend, TinyLlama.Config, magnitudes).Dispose())!;
        Assert.That(error.Message, Does.Contain("lora_magnitude_vector").And.Contain("no place"));
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

    private static double Loss(LlamaWeights weights, LoraAdapter? adapter)
    {
        using var model = new Llama(Backend, weights, adapter, maxLength: 16);
        using var workspace = new Workspace(model, 16, forBackward: false);
        return TinyLlama.Loss(model, TinyLlama.Upload(workspace, [TinyLlama.Tokens(9, 1), TinyLlama.Tokens(5, 2)]));
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
