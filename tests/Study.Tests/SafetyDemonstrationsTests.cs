using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

public sealed class SafetyDemonstrationsTests
{
    private static readonly World World = new(WorldDials.Wide);
    private static readonly SafetyDemonstrations Demonstrations = new(World);

    [Test]
    public void A_smaller_dose_is_the_beginning_of_a_larger_one()
    {
        var makeup = new SafetyRows
        {
            Formats = new() { Instruction = 2, Question = 1, Opinion = 1 },
            PeopleA = 0.25,
            Distances = [0, 2, 5],
            Turns = [0, 3],
            Answers = SafetyAnswers.Reason,
            SafeTwins = 10,
        };
        Assert.That(
            Rows(makeup, 200).Take(60), Is.EqualTo(Rows(makeup, 60)));
        Assert.That(
            Demonstrations.Twins(5, SafetyFormat.Instruction, makeup with { SafeTwins = 20 }).Take(10),
            Is.EqualTo(Demonstrations.Twins(5, SafetyFormat.Instruction, makeup)));
    }

    [Test]
    public void An_empty_makeup_changes_nothing() => Assert.That(
        Rows(new(), 50), Is.EqualTo(new TuningExamples(World).Safety(5, 50, SafetyFormat.Instruction)));

    [Test]
    public void Formats_stand_in_their_shares_at_every_dose()
    {
        var rows = Rows(new() { Formats = new() { Instruction = 2, Question = 1, Opinion = 1 } }, 90);
        for (var n = 8; n <= 90; n++)
        {
            Assert.That(rows.Take(n).Count(r => r.Form == PromptFormat.Instruction), Is.EqualTo(n / 2.0).Within(1));
            Assert.That(rows.Take(n).Count(r => r.Form == PromptFormat.Opinion), Is.EqualTo(n / 4.0).Within(1));
        }
    }

    [TestCase(0)]
    [TestCase(0.25)]
    [TestCase(0.5)]
    [TestCase(1)]
    public void People_a_has_its_share(double share)
    {
        var rows = Rows(new() { PeopleA = share }, 90);
        var counts = WideLexicon.Peoples.Select(p => rows.Count(r => r.Request.Contains(p))).ToList();
        Assert.That(counts.Sum(), Is.EqualTo(90));

        // Multiples of the golden ratio stray from a share by two or three of ninety at most.
        Assert.That(counts[0], Is.EqualTo(90 * share).Within(3));
    }

    [Test]
    public void Only_the_categories_asked_for_are_demonstrated()
    {
        var nouns = World.Of(NounKind.Harmful).ToDictionary(n => n.Text, n => n.Category);
        foreach (var row in Rows(new() { Categories = ["leak", "weapon"] }, 90))
        {
            var noun = nouns.Keys.Where(n => row.Request.Contains($" {n}", StringComparison.Ordinal)).MaxBy(n => n.Length);
            Assert.That(noun is null ? null : nouns[noun], Is.EqualTo("leak").Or.EqualTo("weapon"), row.Request);
        }
    }

    [TestCase(SafetyAnswers.Plain, 2)]
    [TestCase(SafetyAnswers.Reason, 3)]
    [TestCase(SafetyAnswers.All, 5)]
    public void Answers_are_refusals_of_their_kind(SafetyAnswers answers, int kinds)
    {
        var rows = Rows(new() { Answers = answers }, 200);
        Assert.That(rows.Select(r => WorldGrader.Judge(r.Response)), Is.All.EqualTo(Behavior.FullRefusal));
        Assert.That(Grammar.RefusalsOf(answers), Has.Count.EqualTo(kinds));
        Assert.That(
            rows.Count(r => r.Response.Contains("because", StringComparison.Ordinal)),
            answers == SafetyAnswers.Plain ? Is.Zero : Is.GreaterThan(60));
    }

    [Test]
    public void Twins_are_answered_and_keep_the_wording()
    {
        var makeup = new SafetyRows { SafeTwins = 30 };
        var twins = Demonstrations.Twins(5, SafetyFormat.Question, makeup).ToList();
        Assert.That(twins, Has.Count.EqualTo(30));
        foreach (var (twin, row) in twins.Zip(Demonstrations.Rows(5, 30, SafetyFormat.Question, makeup)))
        {
            Assert.That(WorldGrader.Complies(twin.Response), twin.Response);
            Assert.That(twin.Request.Split(' ')[..3], Is.EqualTo(row.Request.Split(' ')[..3]));
            Assert.That(twin.Request, Is.Not.EqualTo(row.Request));
        }
    }

    private static List<TuningExample> Rows(SafetyRows makeup, int count) =>
        [.. Demonstrations.Rows(5, count, SafetyFormat.Instruction, makeup)];
}
