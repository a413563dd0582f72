using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Inference.Tests;

/// <summary>Directions of a model: what they are told from, and every weight that writes along them.</summary>
public sealed class DirectionTests
{
    private static readonly int[][] Rows = [[3, 5, 7, 9, 11], [4, 6, 8]];

    [TestCase("E-bias")]
    [TestCase("B-gqa-llama3")]
    public void A_model_without_the_direction_in_its_weights_is_the_model_with_it_ablated(string name)
    {
        var source = Path.Combine(TestFiles.Reference, "models", name);
        using var backend = new ReferenceBackend();
        using var model = new Opened(backend, source);
        var direction = TinyLlama.Normal(model.Llama.Config.HiddenSize, seed: 3);
        var folder = TestFiles.NewFolder();
        DirectionRemoval.Write(folder, source, model.Weights, direction);
        using var removed = new Opened(backend, folder);
        var (ablated, orthogonal, plain) = (
            model.Logits(Rows, new DirectionAblation(direction)), removed.Logits(Rows, null), model.Logits(Rows, null));

        // Weights are stored in fp32, 24 bits, and the logits are of the order of 10.
        Assert.That(orthogonal, Is.EqualTo(ablated).Within(1e-4));
        Assert.That(plain.Zip(ablated, (x, y) => Math.Abs(x - y)).Max(), Is.GreaterThan(0.1));
    }

    [Test]
    public void A_hook_that_changes_nothing_changes_no_bit()
    {
        using var backend = new CpuBackend(threads: 1);
        using var model = new Opened(backend, Path.Combine(TestFiles.Reference, "models", "A-mha"));
        Assert.That(
            model.Logits(Rows, new DirectionAddition(new double[model.Llama.Config.HiddenSize], 1)),
            Is.EqualTo(model.Logits(Rows, null)));
    }

    [Test]
    public void Prompts_that_end_alike_have_no_direction_before_the_first_block()
    {
        using var backend = new CpuBackend(threads: 1);
        using var model = new Opened(backend, Path.Combine(TestFiles.Reference, "models", "A-mha"));
        int[][] harmful = [[3, 5, 2], [9, 4, 2], [7, 7, 2], [8, 1, 2]];
        int[][] harmless = [[3, 9, 2], [12, 4, 2], [7, 13, 2], [1, 1, 2], [30, 2]];
        var found = RefusalDirection.Find(model.Llama, harmful, harmless);
        Assert.Multiple(() =>
        {
            Assert.That(found.Layers[0].Norm, Is.Zero);
            Assert.That(found.Layers[0].Separation, Is.Null);
            Assert.That(found.Layers[1].Norm, Is.GreaterThan(0));
            Assert.That(found.Layers[1].Separation, Is.InRange(0, 1));
            Assert.That(found.CosinesWith(found, "itself"), Has.Count.EqualTo(model.Llama.Blocks.Count + 1));
            Assert.That(found.CosinesWith(found, "itself")[0], Is.Null);
            Assert.That(found.CosinesWith(found, "itself")[1], Is.EqualTo(1).Within(1e-12));
        });
        Assert.That(() => new DirectionAblation(found.Layers[0].Vector), Throws.TypeOf<SafeLlamaException>()
            .With.Message.Contains("points nowhere"));
    }

    [Test]
    public void A_saved_direction_is_the_one_that_was_found()
    {
        using var backend = new CpuBackend(threads: 1);
        using var model = new Opened(backend, Path.Combine(TestFiles.Reference, "models", "A-mha"));
        var found = RefusalDirection.Find(model.Llama, [[3, 5, 2], [9, 4, 2]], [[3, 9, 2]], position: -2);
        var path = Path.Combine(TestFiles.NewFolder(), "direction.safetensors");
        DirectionFile.Write(path, found, new Dictionary<string, string>());
        var read = DirectionFile.Read(path);
        Assert.That((read.Position, read.Harmful, read.Harmless), Is.EqualTo((-2, 2, 1)));
        Assert.That(found.CosinesWith(read, path)[^1], Is.EqualTo(1).Within(1e-6), "fp32 keeps seven digits");
    }

    [TestCase(0)]
    [TestCase(-4)]
    public void A_token_that_a_prompt_does_not_have_is_refused(int position)
    {
        using var backend = new CpuBackend(threads: 1);
        using var model = new Opened(backend, Path.Combine(TestFiles.Reference, "models", "A-mha"));
        Assert.That(
            () => RefusalDirection.Find(model.Llama, [[3, 5, 2]], [[3, 9, 2]], position),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains($"Position {position}"));
    }
}
