using System.Text.Json.Nodes;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>DeBERTa classifiers against the reference stack, and the tests of those tests.</summary>
[Category("Parity")]
public sealed class EncoderParityTests
{
    private const string Classify = "F-deberta/classify";

    private static readonly string[] Backends = ["reference", "cpu"];

    private const string Gradients = "F-deberta/classify_grad";

    private static IEnumerable<string> Cases => ReferenceCase.Names("encoder_classifier");

    private static IEnumerable<string> GradientCases => ReferenceCase.Names("encoder_classifier_grad");

    [Test]
    public void Logits_hidden_states_and_attention_agree_with_the_reference_stack(
        [ValueSource(nameof(Cases))] string name, [ValueSource(nameof(Backends))] string backend)
    {
        using var ops = Open(backend);
        using var reference = ReferenceCase.Open(name);
        EncoderParity.Check(ops, reference);
    }

    [Test]
    public void Losses_and_every_gradient_agree_with_the_reference_stack(
        [ValueSource(nameof(GradientCases))] string name, [ValueSource(nameof(Backends))] string backend)
    {
        using var ops = Open(backend);
        using var reference = ReferenceCase.Open(name);
        EncoderGradientParity.Check(ops, reference);
    }

    [TestCase(Classify, "logits")]
    [TestCase(Classify, "hidden_states.0")]
    [TestCase(Classify, "hidden_states.3")]
    [TestCase(Classify, "attention.0")]
    [TestCase(Gradients, "grad.classifier.weight")]
    [TestCase(Gradients, "grad.deberta.encoder.rel_embeddings.weight")]
    [TestCase(Gradients, "grad.deberta.encoder.layer.0.attention.self.key_proj.bias")]
    [TestCase(Gradients, "grad.deberta.embeddings.LayerNorm.weight")]
    public void A_spoiled_tensor_fails(string name, string tensor)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilTensor(name, tensor, everywhere: false);
        MustFail(fixtures, tensor.Split('.')[0], name);
    }

    [TestCase(Classify, "num_labels")]
    [TestCase(Gradients, "loss")]
    [TestCase(Gradients, "grad_summary", "deberta.embeddings.word_embeddings.weight", "l2")]
    [TestCase(Gradients, "grad_summary", "deberta.encoder.layer.1.output.dense.weight", "abs_max")]
    public void A_spoiled_number_fails(string name, params string[] keys)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilNumber(name, keys);
        MustFail(fixtures, keys[0], name);
    }

    [TestCase("buckets", "values")]
    [TestCase("lengths")]
    [TestCase("logits_row0")]
    public void A_spoiled_list_fails(params string[] keys)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilManifest(Classify, json =>
        {
            var list = keys.Aggregate((JsonNode)json, (node, key) => node[key]!).AsArray();
            list[0] = list[0]!.GetValue<double>() + 1;
        });
        MustFail(fixtures, keys[0]);
    }

    [Test]
    public void An_expectation_that_no_test_knows_fails()
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilManifest(Classify, json => json["perplexity"] = 1.0);
        MustFail(fixtures, "perplexity");
    }

    /// <summary>What would be wrong with a model, and small, must fail.</summary>
    [TestCase("layer_norm_eps", 5e-2)]
    [TestCase("max_position_embeddings", 48)]
    [TestCase("num_attention_heads", 2)]
    public void A_model_that_is_a_little_wrong_fails(string field, double value)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilFile(
            "models/F-deberta/config.json",
            json => json[field] = value == Math.Floor(value) ? JsonValue.Create((int)value) : JsonValue.Create(value));
        MustFail(fixtures, "");
    }

    private static IBackend Open(string backend) =>
        backend == "reference" ? new ReferenceBackend() : new CpuBackend(2);

    private static void MustFail(SpoiledFixtures fixtures, string why, string name = Classify)
    {
        using var backend = new CpuBackend(1);
        using var reference = ReferenceCase.OpenIn(fixtures.Folder, name);
        Assert.That(
            () => Check(backend, reference), Throws.InstanceOf<ParityException>().With.Message.Contains(why));
    }

    private static void Check(IBackend backend, ReferenceCase reference)
    {
        if (reference.Name == Gradients)
        {
            EncoderGradientParity.Check(backend, reference);
        }
        else
        {
            EncoderParity.Check(backend, reference);
        }
    }
}
