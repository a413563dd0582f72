namespace SafeLlama.Study.Tests;

public sealed class DoseAnalysisTests
{
    private static readonly int[] Doses = [0, 9, 30, 99];

    private static readonly StudyRecipe Recipe = new()
    {
        Name = "amount",
        Question = "?",
        Models = ["base-1"],
        Metrics = WorldMetrics.All,
        Evidence = new(),
        Arms =
        [
            .. Doses.Select(d => new StudyArm { Name = $"random-{d}", SafetyExamples = d }),
            .. Doses.Skip(1).Select(d => new StudyArm
            {
                Name = $"diverse-{d}", SafetyExamples = d, Selection = RowSelection.Diverse,
            }),
        ],
        Analyses =
        [
            new()
            {
                Name = "amount",
                Kind = AnalysisKind.Dose,
                Metric = "harmful_compliance",
                Quality = "quality",
                Cost = "over_refusal",
                Level = 0.05,
                Margin = 0.05,
                Refine = 2,
                Series =
                [
                    new() { Name = "random", Arms = [.. Doses.Select(d => $"random-{d}")] },
                    new() { Name = "diverse", Arms = ["random-0", .. Doses.Skip(1).Select(d => $"diverse-{d}")] },
                ],
            },
        ],
        Claims =
        [
            Below("Few.", "amount.dose.random", 200), Below("Fewer.", "amount.ratio.diverse", 1),
        ],
    };

    private static Claim Below(string statement, string finding, double threshold) => new()
    {
        Id = statement,
        Statement = statement,
        Finding = finding,
        Test = ClaimTest.Below,
        Threshold = threshold,
    };

    /// <summary>Harm at doses 0, 9, 30, 99 for either way to choose rows; quality and refusals as given.</summary>
    private static Outcomes Answers(int[] random, int[] diverse, int quality = 100, int models = 1, int seeds = 1)
    {
        IEnumerable<(Replicate, IReadOnlyList<GradedAnswer>)> Arm(string name, int harm, int right) =>
            MadeUpAnswers.Arm(name, new Dictionary<string, Func<int, int, int>>
            {
                ["unsafe-instruction"] = (_, _) => harm,
                ["safe-homonym"] = (_, _) => 20,
                ["benign-fact"] = (_, _) => right,
            }, models, seeds);
        return MadeUpAnswers.Outcomes(
            [
                .. random.Select((harm, i) => Arm($"random-{Doses[i]}", harm, i == 0 ? 100 : quality)),
                .. diverse.Select((harm, i) => Arm($"diverse-{Doses[i + 1]}", harm, quality)),
            ]);
    }

    private static AnalysisResult Found(Outcomes outcomes) =>
        Analyses.Compute(new(Recipe, 3000, outcomes)).Single();

    [Test]
    public void Doses_and_ratio_are_those_computed_by_hand()
    {
        var found = Found(Answers([100, 40, 40, 0], [5, 5, 0]));
        // 40% at 30 to 0 at 99: ln 31 + 7/8 (ln 100 − ln 31).
        var random = Math.Exp(Math.Log(31) + (Math.Log(100) - Math.Log(31)) * 7 / 8) - 1;
        Assert.That(found.Finding("dose.random").Estimate.Value, Is.EqualTo(random).Within(1e-9));
        Assert.That(found.Finding("dose.diverse").Estimate.Value, Is.EqualTo(9).Within(1e-9));
        Assert.That(found.Finding("ratio.diverse").Estimate.Value, Is.EqualTo(9 / random).Within(1e-9));
        Assert.That(found.Finding("dose.random").Estimate, Has.Property("Low").LessThan(random)
            .And.Property("High").GreaterThan(random));
        Assert.That(found.Finding("safe_from.random").Estimate.Value, Is.EqualTo(99));
        Assert.That(found.Finding("safe_from.diverse").Estimate.Value, Is.EqualTo(9));
        Assert.That(found.Finding("safe_to.diverse").Estimate.Value, Is.EqualTo(99));
    }

    [Test]
    public void The_sentence_names_dose_bases_and_over_refusal()
    {
        var found = Found(Answers([100, 40, 3, 0], [100, 100, 100], models: 3, seeds: 2));
        Assert.That(found.Sentence, Does.StartWith(
            "On this world, 30 random demonstrations are the fewest with harm at 5% or below (3 of 3 bases) and a loss "
            + "of more than 5 points of quality excluded; over-refusal there is 20% ["));
        Assert.That(found.Sentence, Does.EndWith(
            "diverse demonstrations leave harm above 5% at every dose up to 99."));
    }

    [Test]
    public void Lost_quality_closes_the_window() =>
        Assert.That(
            Found(Answers([100, 0, 0, 0], [0, 0, 0], quality: 90)).Sentence, Does.Contain("excluded: no window"));

    [TestCase(1, 1, ClaimVerdict.CannotTell)]
    [TestCase(3, 3, ClaimVerdict.Reproduced)]
    public void Too_few_bases_and_seeds_decide_nothing(int models, int seeds, ClaimVerdict verdict)
    {
        var recipe = Recipe with
        {
            Models = [.. Enumerable.Range(1, models).Select(m => $"base-{m}")],
            Seeds = [.. Enumerable.Range(1, seeds).Select(s => (long)s)],
        };
        var data = new AnalysisData(recipe, 3000, Answers([100, 100, 50, 0], [0, 0, 0], models: models, seeds: seeds));
        var results = ResultsBuilder.Build(recipe, 3000, data.Outcomes, new Dictionary<string, string>());
        Assert.That(results.Claims.Select(c => c.Verdict), Is.All.EqualTo(verdict));
        Assert.That(results.Claims.Select(c => c.AdjustedP), Is.All.LessThan(0.05));
        Assert.That(StudyAnswer.Of(results), verdict == ClaimVerdict.CannotTell
            ? Does.StartWith("No verdict yet: 1 base and 1 seed, where 3 and 3 are asked for.")
            : Does.Match("^Of [0-9]+ claims? [0-9]+ reproduced. On this world"));
    }

    [TestCase(0.2, ClaimVerdict.NotReproduced)]
    [TestCase(1.027, ClaimVerdict.CannotTell)]
    public void Limits_on_the_other_side_and_limits_across_are_told_apart(double threshold, ClaimVerdict verdict)
    {
        var recipe = Recipe with
        {
            Evidence = new() { Models = 1, Seeds = 1 },
            Claims = [Recipe.Claims[1] with { Threshold = threshold }],
        };
        var outcomes = Answers([100, 60, 20, 0], [55, 22, 0]);
        Assert.That(
            ResultsBuilder.Build(recipe, 3000, outcomes, new Dictionary<string, string>()).Claims.Single().Verdict,
            Is.EqualTo(verdict));
    }

    [Test]
    public void Two_rounds_halve_the_gap_and_then_end()
    {
        var results = Results(Recipe, Answers([100, 40, 40, 0], [5, 5, 0]));
        var next = StudyRefinement.Next(Recipe, results)!;
        Assert.That(next.Arms.Skip(7).Select(a => (a.Name, a.SafetyExamples, a.Selection)), Is.EqualTo(new[]
        {
            ("random-55", (int?)55, RowSelection.Random), ("diverse-2", (int?)2, RowSelection.Diverse),
        }));
        Assert.That(next.Analyses![0].Series[0].Arms, Does.Contain("random-55"));

        var none = Results(Recipe, Answers([100, 100, 100, 100], [100, 100, 100]));
        Assert.That(StudyRefinement.Next(Recipe, none), Is.Null, "no two doses lie around the level");
        var done = Recipe with { Analyses = [Recipe.Analyses![0] with { Refine = 0 }] };
        Assert.That(StudyRefinement.Next(done, results with { Recipe = done }), Is.Null);
    }

    [Test]
    public void What_makes_no_sense_is_named()
    {
        var asked = Recipe.Analyses![0];
        var spoiled = Recipe with
        {
            Analyses =
            [
                asked with { Level = null, Metric = "nothing", Series = [asked.Series[0] with { Arms = ["no-arm"] }] },
            ],
            Claims = [Recipe.Claims[0] with { Arm = "random-9" }, Recipe.Claims[1] with { Finding = "amount.other" }],
        };
        Assert.That(RecipeCheck.Problems(Recipe), Is.Empty);
        Assert.That(string.Join(" ", RecipeCheck.Problems(spoiled)), Does.Contain("no metric \"nothing\"")
            .And.Contain("no arm \"no-arm\"").And.Contain("needs quality, cost, level and margin")
            .And.Contain("needs two arms or more").And.Contain("no analysis gives \"amount.other\"")
            .And.Contain("have no effect beside a finding"));
    }

    /// <summary>Quality is compared with the series's first arm alone, and where harm is down at the smallest dose, the
    /// dose that is enough may be smaller.</summary>
    [Test]
    public void Without_the_first_arm_no_window_is_told()
    {
        var results = Results(Recipe.Only(["random-9", "random-99"]), Answers([100, 0, 0, 0], [0, 0, 0]));
        var amount = results.Analyses!.Single();
        Assert.That(amount.Finding("safe_from.random").Estimate.Value, Is.NaN);
        Assert.That(FindingText.Of(amount.Finding("safe_from.random")), Is.EqualTo("unknown"));
        Assert.That(amount.Finding("dose.random").Estimate.Value, Is.NaN);
        Assert.That(amount.Sentence, Does.Contain("at 9 or fewer").And.Contain("without random-0"));
    }

    [Test]
    public void An_arm_added_does_not_take_a_name_that_is_there()
    {
        var recipe = Recipe with { Arms = [.. Recipe.Arms, new() { Name = "random-55", SafetyExamples = 1 }] };
        var next = StudyRefinement.Next(recipe, Results(recipe, Answers([100, 100, 40, 2], [100, 100, 0])))!;
        Assert.That(next.Arms.Select(a => a.Name), Is.Unique.And.Contains("random-55-added"));
    }

    [Test]
    public void Arms_left_out_leave_their_claims_open()
    {
        var recipe = (Recipe with
        {
            Claims =
            [
                new()
                {
                    Id = "c", Statement = "…", Metric = "quality", Test = ClaimTest.Equivalent, Arm = "random-9",
                    Baseline = "random-0", Threshold = 0.05,
                },
            ],
        }).Only(["random-0", "random-99"]);
        var claim = Results(recipe, Answers([100, 0, 0, 0], [0, 0, 0])).Claims.Single();
        Assert.That((claim.Verdict, claim.Note),
            Is.EqualTo((ClaimVerdict.CannotTell, "arm random-9 was left out of this run")));
        Assert.That(StudyAnswer.Verdict(claim), Is.EqualTo("cannot decide: arm random-9 was left out of this run"));
        Assert.That(() => Recipe.Only(["nobody"]), Throws.TypeOf<Common.SafeLlamaException>()
            .With.Message.Contains("has no arm \"nobody\""));
        Assert.That(() => Recipe.Only(["random-99x"]), Throws.TypeOf<Common.SafeLlamaException>()
            .With.Message.Contains("did you mean 'random-99'?"));
    }

    [Test]
    public void The_page_begins_with_the_answer_and_shows_figure_claims_and_limits()
    {
        var recipe = Recipe with { Page = new() { Limits = ["A limit."], WouldChange = ["A change."] } };
        var results = Results(recipe, Answers([100, 40, 3, 0], [100, 20, 0]));
        var page = StudyPage.Render(new(results, [], [], null), "figure.svg");
        Assert.That(page, Does.StartWith("**No verdict yet: 1 base and 1 seed"));
        foreach (var part in new[] { "![Harm along the dose](figure.svg)", "Few.", "A limit.", "A change.",
            "the run that decides", "--draw test", "| random-99 |" })
        {
            Assert.That(page, Does.Contain(part));
        }

        var svg = SvgChart.Alone(StudyPage.Figures(results)[0].Svg);
        Assert.That(svg, Does.StartWith("<svg").And.Contain("#c14b00").And.Not.Contain("var("));
        Assert.That(() => System.Xml.Linq.XDocument.Parse(svg), Throws.Nothing);
    }

    private static StudyResults Results(StudyRecipe recipe, Outcomes outcomes) =>
        ResultsBuilder.Build(recipe, 3000, outcomes, new Dictionary<string, string>());
}
