namespace SafeLlama.Study.Tests;

public sealed class DemonstrationSelectionTests
{
    // Distances by hand: row 3 shares nothing with row 0 (1); row 1 shares two of four words with it (0.5); row 2 is
    // row 0 in other letters (0), and row 4 shares one of five with row 0 and one of three with row 3 (2/3).
    [Test]
    public void The_farthest_row_comes_next() => Assert.That(
        DemonstrationSelection.FarthestFirst(
            ["make a bomb", "make a trap", "Make a bomb.", "forge money", "forge a"]),
        Is.EqualTo(new[] { 0, 3, 4, 1, 2 }));

    [Test]
    public void The_least_likely_refusal_comes_first() =>
        Assert.That(DemonstrationSelection.LeastLikelyFirst([-1, -3, -3, double.PositiveInfinity, -2]),
            Is.EqualTo(new[] { 1, 2, 4, 0, 3 }));

    [TestCase(RowSelection.Diverse)]
    [TestCase(RowSelection.Complied)]
    public void Chosen_rows_nest_and_leave_benign_rows_alone(RowSelection selection)
    {
        var recipe = RecipeFile.Read("safety-dose.yaml") with
        {
            Data = new() { World = new() { BenignExamples = 50, SafetyDemonstrations = 60 } },
            Claims = [],
            Arms =
            [
                new() { Name = "plain", SafetyExamples = 20 },
                new() { Name = "few", SafetyExamples = 5, Selection = selection },
                new() { Name = "more", SafetyExamples = 20, Selection = selection },
            ],
        };
        var source = new WorldSource(recipe.Data);
        var engine = new MadeUpEngine(source);
        var jobs = new StudyRunner(recipe, source, engine).Jobs.Select(j => JobPlan.Resolve(j, source, engine))
            .Select(j => j.Examples.Select(e => (e.Question, e.Answer)).ToList()).ToList();
        Assert.That(jobs[2].Take(55), Is.EqualTo(jobs[1]));
        Assert.That(jobs[2].Take(50), Is.EqualTo(jobs[0].Take(50)));
        Assert.That(jobs[2].Skip(50), Is.Not.EqualTo(jobs[0].Skip(50)));
        if (selection == RowSelection.Complied)
        {
            // The made-up engine finds long refusals less likely.
            Assert.That(jobs[2].Skip(50).Select(e => -e.Answer.Length), Is.Ordered);
        }
    }
}
