using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

/// <summary>Analyses where <c>--arms</c> left almost nothing.</summary>
public sealed class FewArmsTests
{
    [TestCase("amount.yaml")]
    [TestCase("attack-sweep.yaml")]
    [TestCase("bias.yaml")]
    [TestCase("diversity.yaml")]
    [TestCase("format-boundary.yaml")]
    [TestCase("long-run.yaml")]
    [TestCase("prompt-types.yaml")]
    [TestCase("robustness.yaml")]
    [TestCase("size.yaml")]
    public void Every_arm_can_be_run_alone_or_is_refused_before_it_is(string file)
    {
        var whole = RecipeFile.Read(file);
        var computed = 0;
        foreach (var arm in whole.Arms)
        {
            StudyRecipe recipe;
            try
            {
                recipe = whole.Only([.. Before(whole, arm).Append(arm.Name)]);
            }
            catch (SafeLlamaException refused)
            {
                Assert.That(refused.Message, Does.Contain("name"), "the way out");
                continue;
            }

            computed++;
            var answers = new Outcomes([.. from model in recipe.Models
                                           from run in recipe.Arms
                                           select (new Replicate(run.Name, model, 1), Answers(recipe))]);
            foreach (var of in new[] { answers, new Outcomes([]) })
            {
                IReadOnlyList<AnalysisResult> results = [];
                Assert.That(() => results = Analyses.Compute(new(recipe, 3000, of)), Throws.Nothing, arm.Name);
                Assert.That(results.Select(r => r.Sentence), Has.None.Contains("NaN"), arm.Name);
                foreach (var figure in StudyPage.Figures(new(recipe, new Dictionary<string, string>(), [], [])
                {
                    Analyses = results,
                }))
                {
                    Assert.That(figure.Svg, Does.Not.Contain("NaN"), $"{arm.Name}, {figure.Title}");
                }
            }
        }

        Assert.That(computed, file is "bias.yaml" ? Is.Zero : Is.Positive);
    }

    /// <summary>Every arm that an arm goes on from.</summary>
    private static IEnumerable<string> Before(StudyRecipe recipe, StudyArm arm) => arm.After is not { } name ? []
        : Before(recipe, recipe.Arms.First(a => a.Name == name)).Append(name);

    /// <summary>Four answers for each suite and category of the recipe's metrics, two of which refuse.</summary>
    private static IReadOnlyList<GradedAnswer> Answers(StudyRecipe recipe) =>
    [
        .. from cell in recipe.Metrics.SelectMany(m => m.Suites.SelectMany(
               suite => (m.Categories ?? ["kind-0", "kind-1"]).Select(category => (suite, category)))).Distinct()
           from act in Enumerable.Range(0, 4)
           select new GradedAnswer(
               new($"{cell.suite}-{cell.category}/{act}", cell.suite, "…", PromptFormat.Instruction,
                   PromptLabel.Unsafe, cell.category, $"act {act}"),
               "…", act < 2, act < 2 ? Behavior.FullCompliance : Behavior.FullRefusal, null),
    ];
}
