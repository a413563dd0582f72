using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Pages;

/// <summary>The code on docs/06-loss.md.</summary>
public sealed class LossPageTests
{
    [Test]
    public void Surprise_by_hand()
    {
        using var backend = new ReferenceBackend();
        using var arena = new Arena(backend, "page");
        var (logits, dlogits) = (arena.Take(new(2, 3), "logits"), arena.Take(new(2, 3), "dlogits"));
        var (nll, logSum) = (arena.Take(new(2), "nll"), arena.Take(new(2), "log_sum"));
        var targets = arena.Take(new(2), DType.Int32, "targets");
        arena.Commit();

        // docs:06-loss:by-hand
        logits.Write([Math.Log(1), Math.Log(2), Math.Log(5),      // p = 1/8, 2/8, 5/8
                      Math.Log(1), Math.Log(1), Math.Log(2)]);    // p = 1/4, 1/4, 2/4
        targets.Write([2, 0]);                                    // what came next
        backend.CrossEntropy.Forward(logits, targets, nll, logSum);
        Assert.That(nll.ReadDoubles(), Is.EqualTo(new[] { Math.Log(8 / 5.0), Math.Log(4) }).Within(1e-12));
        // end

        // docs:06-loss:gradient
        backend.CrossEntropy.Backward(logits, targets, logSum, scale: 1, dlogits);
        Assert.That(
            dlogits.ReadDoubles(),
            Is.EqualTo(new[] { 1 / 8.0, 2 / 8.0, (5 / 8.0) - 1, (1 / 4.0) - 1, 1 / 4.0, 2 / 4.0 }).Within(1e-12));
        // end
    }

    [Test]
    public void Labels_are_shifted_and_prompts_masked()
    {
        // docs:06-loss:mask
        int[] tokens = [1, 501, 502, 601, 602, 2];                // <s> prompt prompt answer answer </s>
        bool[] learned = [false, false, false, true, true, true];
        var example = TokenizedExample.FromLabels("row 1", default, tokens, learned);
        Assert.That(example.Targets, Is.EqualTo(new[] { -1, -1, 601, 602, 2, -1 }));
        Assert.That(example.TargetCount, Is.EqualTo(3));
        // end
    }

    [Test]
    public void A_step_is_cut_three_ways()
    {
        static PackedBatch Rows(int prompt, int answer) => PackedBatch.Of(TokenizedExample.FromLabels(
            "row",
            default,
            new int[prompt + answer],
            [.. Enumerable.Range(0, prompt + answer).Select(i => i >= prompt)]));

        // docs:06-loss:divisors
        IReadOnlyList<PackedBatch> step = [Rows(prompt: 4, answer: 30), Rows(prompt: 4, answer: 10)];
        Assert.That(LossNormalization.Targets.Scales(step), Is.EqualTo(new[] { 1 / 40.0, 1 / 40.0 }));
        Assert.That(LossNormalization.Legacy.Scales(step), Is.EqualTo(new[] { 1 / 60.0, 1 / 20.0 }));

        IReadOnlyList<PackedBatch> text = [Rows(prompt: 0, answer: 8)];       // even <s> is labeled
        Assert.That(LossNormalization.Targets.Scales(text), Is.EqualTo(new[] { 1 / 7.0 }));
        Assert.That(LossNormalization.HuggingFace.Scales(text), Is.EqualTo(new[] { 1 / 8.0 }));
        // end
    }

    [Category("Docs")]
    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("06-loss.md");
}
