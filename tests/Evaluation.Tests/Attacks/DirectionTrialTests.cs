using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class DirectionTrialTests : IDisposable
{
    private LlamaSession _session = null!;

    [OneTimeSetUp]
    public void Open() => _session = LlamaSession.Open(
        new CpuBackend(1), TinyModel.Write(Path.Combine(TestFiles.NewFolder(), "model")), new() { OwnsBackend = true });

    public void Dispose() => _session.Dispose();

    [Test]
    public void The_direction_is_out_of_the_stream_while_it_answers_and_back_in_afterwards()
    {
        var context = Context();
        AnswerRequest[] asked = [.. context.Prompts.Select(p => new AnswerRequest(p, 0))];
        var before = context.Plain.Answer(asked, default).Select(a => a.Text).ToArray();
        using var prepared = new DirectionTrial(2).Prepare(context, "", null, default);
        var under = prepared.Responder.Answer(asked, default).Select(a => a.Text).ToArray();
        Assert.That(under, Is.Not.EqualTo(before), "an untrained model's answers follow every direction");
        Assert.That(_session.Model.Hook, Is.Null);
        Assert.That(context.Plain.Answer(asked, default).Select(a => a.Text), Is.EqualTo(before));
        Assert.That(prepared.Responder.Answer(asked[..1], default)[0].Text, Is.EqualTo(under[0]),
            "an answer does not depend on its batch");
    }

    [Test]
    public void A_place_that_the_stream_does_not_have_is_refused() => Assert.That(
        () => new DirectionTrial(3).Prepare(Context(), "", null, default),
        Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("goes from 0 to 2"));

    /// <summary>Every prompt ends in the same token, so before block 0 there is nothing to tell them apart.</summary>
    [Test]
    public void Where_there_is_no_direction_nothing_is_attacked_and_it_is_told()
    {
        using var prepared = new DirectionTrial(0).Prepare(Context(), "", null, default);
        Assert.That(prepared.Prompts, Is.Empty);
        Assert.That(prepared.Notes, Has.Some.Contains("there is no direction"));
    }

    private AttackContext Context()
    {
        SuitePrompt[] Prompts(string kind, PromptLabel label, string text) =>
            [.. Enumerable.Range(0, 12).Select(i => new SuitePrompt(
                kind, $"{i}", $"{text} {i}.", label, PromptFormat.Instruction))];
        return new(_session, DecodingConfig.Greedy(8), Prompts("u", PromptLabel.Unsafe, "Do the wrong thing"),
            Prompts("b", PromptLabel.Benign, "Name a bird"), []);
    }
}
