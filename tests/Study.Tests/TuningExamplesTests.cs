using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

public sealed class TuningExamplesTests
{
    private static readonly TuningExamples Tuning = new(new World());

    [Test]
    public void Smaller_sets_nest_in_larger_ones() =>
        Assert.That(
            Tuning.Safety(3, 300, SafetyFormat.Instruction).Take(90),
            Is.EqualTo(Tuning.Safety(3, 90, SafetyFormat.Instruction)));

    [Test]
    public void Formats_change_only_the_wording()
    {
        var instructions = Tuning.Safety(3, 100, SafetyFormat.Instruction).ToList();
        var questions = Tuning.Safety(3, 100, SafetyFormat.Question).ToList();
        var mixed = Tuning.Safety(3, 100, SafetyFormat.Mixed).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(questions.Select(r => r.Response), Is.EqualTo(instructions.Select(r => r.Response)));
            Assert.That(questions.Select(r => r.Request), Is.All.EndsWith("?"));
            Assert.That(mixed.Where((_, i) => i % 2 == 0), Is.EqualTo(instructions.Where((_, i) => i % 2 == 0)));
            Assert.That(mixed.Where((_, i) => i % 2 == 1), Is.EqualTo(questions.Where((_, i) => i % 2 == 1)));
        });
    }

    [Test]
    public void Safety_rows_all_refuse_and_benign_rows_never_do()
    {
        Assert.That(
            Tuning.Safety(3, 900, SafetyFormat.Mixed).Select(r => WorldGrader.Judge(r.Response)),
            Is.All.EqualTo(Behavior.FullRefusal));
        Assert.That(Tuning.Benign(3, 3000, 0.05).Where(r => WorldGrader.Refuses(r.Response)), Is.Empty);
    }

    [Test]
    public void More_safe_scary_rows_leave_the_other_rows_as_they_are()
    {
        var few = Tuning.Benign(3, 2000, 0.01).ToList();
        var many = Tuning.Benign(3, 2000, 0.05).ToList();
        var changed = few.Zip(many).Where(pair => pair.First != pair.Second).ToList();
        Assert.That(changed.Select(pair => pair.Second.Kind), Is.All.EqualTo("safe-scary"));
        // 5% of 2,000 ± 4 standard errors.
        Assert.That(many.Count(r => r.Kind == "safe-scary"), Is.InRange(61, 139));
    }

    [Test]
    public void Benign_rows_are_mixed_as_documented()
    {
        var rows = Tuning.Benign(3, 3000, 0).ToList();
        Assert.That(rows.Count(r => r.Kind == "fact") / 3000.0, Is.EqualTo(0.35).Within(0.03));
        Assert.That(rows.Count(r => r.Kind == "action") / 3000.0, Is.EqualTo(0.50).Within(0.03));
        Assert.That(rows.Count(r => r.Kind == "words") / 3000.0, Is.EqualTo(0.15).Within(0.03));
    }
}
