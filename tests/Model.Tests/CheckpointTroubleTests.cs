using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests;

/// <summary>
/// Checkpoints that people met and that were opened as another model, or stopped them without a way out.
/// </summary>
[Category("Fault")]
public sealed class CheckpointTroubleTests
{
    private static readonly ReferenceBackend Backend = new();

    [OneTimeTearDown]
    public void Close() => Backend.Dispose();

    [Test]
    public void A_tied_model_whose_head_was_trained_on_its_own_is_refused()
    {
        var folder = Saved(TinyLlama.Config with { TieWordEmbeddings = false });
        var tied = TinyLlama.Config with { TieWordEmbeddings = true };
        Assert.That(
            () => LlamaWeights.Load(Backend, tied, folder),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("tie_word_embeddings")
                .And.Message.Contains("lm_head.weight").And.Property(nameof(SafeLlamaException.Code))
                .EqualTo(ExitCode.InvalidData));
    }

    [Test]
    public void A_tied_model_whose_head_is_stored_twice_loads_and_says_so()
    {
        var tied = TinyLlama.Config with { TieWordEmbeddings = true };
        using var drawn = LlamaWeights.InitializeRandom(Backend, tied, seed: 1);
        var folder = TestFiles.NewFolder();
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"),
            LlamaShapes.Of(tied).Select(shape => (shape.Name, From: shape.Name))
                .Append((LlamaShapes.HeadName, LlamaShapes.EmbeddingName))
                .Select(t => SafetensorsItem.Of(t.Item1, drawn[t.Item2].Value, DType.Float32)));
        using var loaded = LlamaWeights.Load(Backend, tied, folder);
        Assert.That(loaded.Ignored, Is.EqualTo(new[] { "lm_head.weight" }));
        Assert.That(
            UnusedTensors.Note("folder", loaded.Ignored),
            Is.EqualTo("folder: 1 tensor has no use in this model: lm_head.weight."));
    }

    [TestCase(true, false)]
    [TestCase(false, true)]
    public void Biases_that_the_config_does_not_mention_are_refused(bool attention, bool feedForward)
    {
        var folder = Saved(TinyLlama.Config with { AttentionBias = attention, MlpBias = feedForward });
        Assert.That(
            () => LlamaWeights.Load(Backend, TinyLlama.Config with { AttentionBias = false, MlpBias = false }, folder),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(".bias").And.Message.Contains("attention_bias"));
    }

    [Test]
    public void Layers_beyond_those_of_the_config_are_told_and_not_used()
    {
        var folder = Saved(TinyLlama.Config with { Layers = 3 });
        using var loaded = LlamaWeights.Load(Backend, TinyLlama.Config with { Layers = 2 }, folder);
        Assert.That(loaded.Ignored, Is.Not.Empty.And.All.StartsWith("model.layers.2."));
    }

    [TestCase("consolidated.safetensors")]
    [TestCase("model-00001-of-00002.safetensors")]
    public void Weights_in_a_second_form_are_told_and_not_counted(string second)
    {
        var folder = Saved(TinyLlama.Config);
        var single = Path.Combine(folder, "model.safetensors");
        File.Copy(single, Path.Combine(folder, second));
        using var loaded = LlamaWeights.Load(Backend, TinyLlama.Config, folder);
        Assert.That(loaded.Notes, Is.EqualTo(new[]
        {
            $"{folder}: model.safetensors is read; {second} holds weights too and is not.",
        }));
        Assert.That(LlamaWeights.BytesOf(folder), Is.EqualTo(new FileInfo(single).Length));
    }

    [Test]
    public void Shards_are_counted_by_their_index_through_links()
    {
        var (folder, elsewhere) = (TestFiles.NewFolder(), Saved(TinyLlama.Config));
        var blob = Path.Combine(elsewhere, "model.safetensors");
        File.CreateSymbolicLink(Path.Combine(folder, "model-00001-of-00001.safetensors"), blob);
        File.Copy(blob, Path.Combine(folder, "consolidated.safetensors"));
        File.WriteAllText(
            Path.Combine(folder, "model.safetensors.index.json"),
            """{"weight_map": {"model.norm.weight": "model-00001-of-00001.safetensors"}}""");
        Assert.That(CheckpointFiles.BytesOf(folder), Is.EqualTo(new FileInfo(blob).Length));
    }

    [Test]
    public void A_missing_head_names_the_setting_that_ties_it()
    {
        var folder = Saved(TinyLlama.Config with { TieWordEmbeddings = true });
        Assert.That(
            () => LlamaWeights.Load(Backend, TinyLlama.Config with { TieWordEmbeddings = false }, folder),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("\"tie_word_embeddings\" must be true"));
    }

    [TestCase("model.safetensors")]
    [TestCase("config.json")]
    [TestCase("adapter_config.json")]
    public void A_pointer_of_Git_LFS_is_named_for_what_it_is(string name)
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllText(
            Path.Combine(folder, name), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1234567\n");
        Assert.That(
            () => name switch
            {
                "config.json" => (object)LlamaConfig.Load(folder),
                "adapter_config.json" => PeftFolder.ReadConfig(folder),
                _ => CheckpointFiles.Open(folder),
            },
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("Git LFS pointer"));
    }

    [Test]
    public void The_root_of_a_hub_cache_names_its_snapshot()
    {
        var folder = TestFiles.NewFolder();
        var snapshot = Path.Combine(folder, "snapshots", "0123abcd");
        Directory.CreateDirectory(snapshot);
        File.WriteAllText(Path.Combine(snapshot, "config.json"), "{}");
        Assert.That(
            () => LlamaConfig.Load(folder), Throws.TypeOf<SafeLlamaException>().With.Message.Contains(snapshot));
    }

    [Test]
    public void A_config_that_begins_with_a_byte_order_mark_is_read()
    {
        var file = Path.Combine(TestFiles.NewFolder(), "config.json");
        var plain = File.ReadAllBytes(Path.Combine(TestFiles.Reference, "models", "A-mha", "config.json"));
        File.WriteAllBytes(file, [0xEF, 0xBB, 0xBF, .. plain]);
        Assert.That(LlamaConfig.Load(file).HiddenSize, Is.Positive);
    }

    private static string Saved(LlamaConfig config)
    {
        var folder = TestFiles.NewFolder();
        using var weights = LlamaWeights.InitializeRandom(Backend, config, seed: 1);
        weights.Save(Path.Combine(folder, "model.safetensors"), DType.Float32);
        return folder;
    }
}
