using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests;

public sealed class EncoderConfigTests
{
    private static string Reference => Path.Combine(TestFiles.ShippedReference, "models", "F-deberta-3");

    [Test]
    public void Position_terms_may_be_one_string_and_labels_are_counted()
    {
        var config = EncoderConfig.Load(Reference);
        Assert.Multiple(() =>
        {
            Assert.That(config.Labels, Is.EqualTo(3));
            Assert.That(config.LogBuckets, Is.True);
            Assert.That(config.MaxDistance, Is.EqualTo(32));
        });
    }

    [TestCase("bert")]
    [TestCase("roberta")]
    public void Other_encoders_are_refused_by_name(string type) => Refused(
        json => json["model_type"] = type,
        $"\"model_type\" is \"{type}\", expected \"deberta-v2\" (DeBERTa-v2 and v3): a {type} classifier");

    [Test]
    public void What_changes_the_equations_is_refused()
    {
        Refused(json => json["pos_att_type"] = "c2p", "\"pos_att_type\" is \"c2p\", expected \"p2c|c2p\"");
        Refused(json => json["share_att_key"] = false, "\"share_att_key\" is false, expected true");
        Refused(json => json.Remove("position_biased_input"), "\"position_biased_input\" is missing, expected false");
        Refused(json => json["hidden_act"] = "gelu_new", "\"hidden_act\" is \"gelu_new\", expected \"gelu\"");
        Refused(json => json["conv_kernel_size"] = 3, "\"conv_kernel_size\" is 3, expected 0");
        Refused(json => json["num_attention_heads"] = 5, "\"num_attention_heads\" is 5, expected a divisor");
    }

    [Test]
    public void A_stray_tensor_of_whole_numbers_is_ignored_and_told()
    {
        using var backend = new CpuBackend(1);
        using var weights = EncoderWeights.Load(backend, EncoderConfig.Load(Reference), Reference);
        Assert.That(weights.Ignored, Is.EqualTo(new[] { "deberta.embeddings.position_ids" }));
    }

    [Test]
    public void An_encoder_without_a_head_is_refused_and_may_get_one_to_train()
    {
        using var backend = new CpuBackend(1);
        var config = EncoderConfig.Load(Reference);
        var folder = TestFiles.NewFolder();
        WriteWithoutHead(folder);
        Assert.That(
            () => EncoderWeights.Load(backend, config, folder),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("an encoder without a classifier"));
        using var weights = EncoderWeights.Load(backend, config, folder, EncoderLearning.Head, seed: 3);
        Assert.Multiple(() =>
        {
            Assert.That(weights.Drawn, Has.Count.EqualTo(4));
            Assert.That(weights.Parameters.Select(p => p.Name), Is.EqualTo(weights.Drawn));
            Assert.That(weights[EncoderShapes.WordsName].Gradient, Is.Null);
        });
    }

    private static void WriteWithoutHead(string folder)
    {
        using var source = SafetensorsFile.Open(Path.Combine(Reference, "model.safetensors"));
        using var host = new ReferenceBackend();
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"),
            source.Entries.Values.Where(e => e.Type == "F32" && !EncoderShapes.IsHead(e.Name))
                .Select(e => SafetensorsItem.Of(e.Name, source.Import(e, host), DType.Float32)),
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    private static void Refused(Action<JsonObject> change, string message)
    {
        var folder = TestFiles.NewFolder();
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(Reference, "config.json")))!.AsObject();
        change(json);
        File.WriteAllText(Path.Combine(folder, "config.json"), json.ToJsonString());
        Assert.That(
            () => EncoderConfig.Load(folder),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains(message));
    }
}
