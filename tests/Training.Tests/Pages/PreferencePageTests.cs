using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Pages;

/// <summary>The code on docs/13-preference-tuning.md.</summary>
public sealed class PreferencePageTests
{
    [Test]
    public void A_pair_by_hand()
    {
        // docs:13-preference-tuning:by-hand
        var settings = new PreferenceSettings(Objective.Dpo) { Beta = 0.1 };
        var chosen = new AnswerLikelihood(Sum: -20, Count: 5, Reference: -24);      // r = 4: likelier than before
        var rejected = new AnswerLikelihood(Sum: -31, Count: 8, Reference: -30);    // r = −1
        var (loss, c, r) = PreferenceLoss.Pair(settings, chosen, rejected);

        Assert.That(loss, Is.EqualTo(Math.Log(1 + Math.Exp(-0.1 * 5))).Within(1e-12));
        Assert.That((c.Reward, r.Reward), Is.EqualTo((0.4, -0.1)));
        Assert.That(c.Slope, Is.EqualTo(-0.1 / (1 + Math.Exp(0.1 * 5))).Within(1e-12));
        Assert.That(r.Slope, Is.EqualTo(-c.Slope).Within(1e-12));
        // end
    }

    [Test]
    public void Both_halves_stand_in_one_batch()
    {
        // docs:13-preference-tuning:packed
        int[] prompt = [1, 501, 502];
        var pair = PreferenceExample.Pair(Answer([.. prompt, 601, 602, 2]), Answer([.. prompt, 701, 702, 703, 2]));
        var packed = PackedBatch.Of(pair);
        Assert.That(packed.Tokens, Is.EqualTo(new[] { 1, 501, 502, 601, 602, 2, 1, 501, 502, 701, 702, 703, 2 }));
        Assert.That(packed.Targets, Is.EqualTo(new[] { -1, -1, 601, 602, 2, -1, -1, -1, 701, 702, 703, 2, -1 }));
        Assert.That(packed.FirstKey, Is.EqualTo(new[] { 0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6 }));
        // end
    }

    [Test]
    public void Two_passes_by_hand_are_the_objectives()
    {
        using var backend = new ReferenceBackend();
        using var run = new TinyRun(backend);
        foreach (var factors in run.Adapter.Pairs)
        {
            factors.B.Value.Write(TinyLlama.Normal((int)factors.B.Value.Shape.Count, factors.Index, 0.1));
        }

        var model = run.Model;
        int[] prompt = [1, 101, 102];
        var pair = PreferenceExample.Pair(Answer([.. prompt, 201, 202, 2]), Answer([.. prompt, 203, 204, 205, 2]));
        var settings = new PreferenceSettings(Objective.Dpo);
        var reference = ReferenceLikelihoods.Known([pair], [[-24.0, -30]]);
        using var workspace = new Workspace(model, pair.Length, forBackward: true);
        var packed = PackedBatch.Of(pair);
        var pass = workspace.For(packed.Length);
        pass.Batch.Upload(packed.Tokens, packed.Positions, packed.FirstKey, packed.Targets);

        // docs:13-preference-tuning:two-passes
        model.Forward(pass);
        model.TargetLosses(pass);                                       // −log π of each token
        var nll = pass.Head.Nll.ReadDoubles();
        var (loss, c, r) = PreferenceLoss.Pair(
            settings,
            new(-nll[..3].Sum(), 3, reference.Of(pair)[0]),             // the chosen answer's three tokens
            new(-nll[3..7].Sum(), 4, reference.Of(pair)[1]));           // the rejected answer's four
        model.BackwardTargets(pass, [-c.Slope, -c.Slope, -c.Slope, -r.Slope, -r.Slope, -r.Slope, -r.Slope]);
        model.Backward(pass);
        // end

        var byHand = run.Gradients();
        using var trainer = new Trainer(
            model,
            workspace,
            new TrainerSettings(new(ScheduleShape.Constant, 0.01, 0, 1))
            {
                Objective = new PreferenceObjective(settings) { Reference = reference },
            },
            1);
        var report = trainer.Step([packed]);
        Assert.That(report.Loss, Is.EqualTo(loss).Within(1e-12));
        Assert.That(run.Gradients(), Is.EqualTo(byHand).Within(1e-12));
        Assert.That(byHand.Max(Math.Abs), Is.GreaterThan(1e-3));
    }

    [Category("Docs")]
    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("13-preference-tuning.md");

    private static PreferenceSide Answer(int[] tokens) => PreferenceSide.LastAnswer(TokenizedExample.FromLabels(
        "row", default, tokens, [.. Enumerable.Range(0, tokens.Length).Select(i => i >= 3)]));
}
