namespace SafeLlama.Study;

/// <summary>Finds all errors in a recipe.</summary>
public static class RecipeCheck
{
    /// <summary>More rows, or more of one kind beside the others, are a slip.</summary>
    private const int MostRows = 1_000_000;

    private const double MostShare = 0.99;

    /// <summary>One sentence for each error; empty for a valid recipe.</summary>
    public static IReadOnlyList<string> Problems(StudyRecipe recipe)
    {
        var problems = new List<string>();
        problems.AddRange(ReplicateCheck.Problems(recipe));
        Need(recipe.Decoding.MaxNewTokens > 0,
            $"decoding.max_new_tokens is {recipe.Decoding.MaxNewTokens}, expected 1 or more.");
        Need(recipe.Decoding.BatchSize > 0,
            $"decoding.batch_size is {recipe.Decoding.BatchSize}, expected 1 or more.");
        Need(recipe.Metrics.Count > 0, "metrics is empty, expected one metric at least.");
        Need(recipe.Metrics.Select(metric => metric.Name).Distinct().Count() == recipe.Metrics.Count,
            "two metrics have one name.");
        foreach (var arm in recipe.Arms)
        {
            Arm(arm, recipe);
        }

        Need(recipe.Evidence?.BaseLossWithin is null or > 0,
            $"evidence.base_loss_within is {recipe.Evidence?.BaseLossWithin}, expected more than 0.");
        Need(recipe.Evidence?.BaseLossWithin is null || !recipe.Data.UsesFiles,
            "evidence.base_loss_within compares bases of the world; of others no loss is recorded.");
        problems.AddRange(ArmOrderCheck.Problems(recipe));
        problems.AddRange(recipe.Attacks?.Problems(recipe) ?? []);
        problems.AddRange(Analyses.Problems(recipe));
        Judges(recipe.Judges ?? []);
        Training(recipe.Training, "training.");
        if (problems.Count == 0)
        {
            foreach (var arm in recipe.Arms.Where(arm => !arm.Untrained))
            {
                Training(arm.Apply(recipe.Training), $"arm {arm.Name}: ");
            }
        }

        Data(recipe.Data);
        problems.AddRange(ClaimCheck.Problems(recipe));

        return problems;

        void Need(bool sound, string problem)
        {
            if (!sound)
            {
                problems.Add(problem);
            }
        }

        void Arm(StudyArm arm, StudyRecipe study)
        {
            Need(arm.Selection == RowSelection.Random || arm.Safety is not { SafeTwins: > 0 },
                $"arm {arm.Name}: selection chooses demonstrations alone, so safe_twins has no effect.");
            Need(arm.Format == SafetyFormat.Instruction || arm.Safety?.Formats is null,
                $"arm {arm.Name}: format has no effect beside safety.formats.");
            Need(arm.Selection == RowSelection.Random || (arm.Format != SafetyFormat.Mixed
                && arm.Safety is not ({ Formats: not null } or { PeopleA: not null } or { Distances: not null }
                    or { Turns: not null })),
                $"arm {arm.Name}: selection chooses among demonstrations as they are drawn, so the shares of wordings, "
                + "names, distances and turns would be lost; choose at random, or give every demonstration the same.");
            Need(arm.Selection == RowSelection.Random || (!arm.Untrained && arm.Preference is null),
                $"arm {arm.Name}: selection has no effect without demonstrations.");
            Need(!arm.Added, $"arm {arm.Name}: added is set by a study's rounds alone.");
            Need(arm.SafetyExamples is null
                || arm.SafetyShare is null, $"arm {arm.Name}: give safety_examples or safety_share, not both.");
            Need(arm.SafetyExamples is null or (>= 0 and <= MostRows),
                $"arm {arm.Name}: safety_examples is {arm.SafetyExamples}, expected 0 to {MostRows}.");
            Need(arm.SafetyShare is null or (>= 0 and <= MostShare),
                $"arm {arm.Name}: safety_share is {arm.SafetyShare}, expected 0 to {MostShare}.");
            Need(!arm.Untrained || arm.WithoutEffect().FirstOrDefault() is null,
                $"arm {arm.Name}: is untrained, so {arm.WithoutEffect().FirstOrDefault()} has no effect.");
            Need(arm.SafeScary is null or (>= 0 and <= 1), $"arm {arm.Name}: safe_scary is {arm.SafeScary}, expected a "
                + "share from 0 to 1.");
            Need(arm.SafeScary is null
                || !study.Data.UsesFiles, $"arm {arm.Name}: safe_scary is a dial of the world; files have none.");
            Need(arm.Format != SafetyFormat.Opinion || !study.Data.UsesFiles || study.Data.SafetyOpinions is not null,
                $"arm {arm.Name}: format opinion needs data.safety_opinions, the same rows as opinions.");
            problems.AddRange(arm.Safety?.Problems(study.Data).Select(problem => $"arm {arm.Name}: {problem}") ?? []);
            Need(
                !study.Data.UsesFiles || arm.Format is SafetyFormat.Instruction or SafetyFormat.Opinion
                    || study.Data.SafetyQuestions is not null,
                $"arm {arm.Name}: format {arm.Format.ToString().ToLowerInvariant()} needs data.safety_questions, the "
                + "same rows as questions.");
        }

        void Judges(IReadOnlyList<StudyJudge> judges)
        {
            Need(judges.Count == 0 || recipe.Data.UsesFiles, "judges are given, and the world grades its own answers.");
            Need(judges.Select(j => j.Name).Distinct().Count() == judges.Count, "two judges have one name.");
            foreach (var judge in judges)
            {
                Need(
                    (judge.Kind ?? judge.Name) is StudyJudge.Harmfulness or StudyJudge.Preference,
                    $"judge {judge.Name}: {(judge.Kind is { } kind ? $"kind {kind}" : "")} is unknown, expected "
                    + $"{StudyJudge.Harmfulness} or {StudyJudge.Preference}; for a name of your own give kind.");
            }

            string[] ofHarm = [.. judges.Where(j => j.RatesHarm).Select(j => j.Name)];
            foreach (var metric in recipe.Metrics.Where(m => m.Judge is not null))
            {
                Need(
                    metric.Measure == Measure.Harmful,
                    $"metric {metric.Name}: judge is read by measure harmful alone.");
                Need(
                    ofHarm.Contains(metric.Judge),
                    $"metric {metric.Name}: judges names no harmfulness judge \"{metric.Judge}\".");
            }

            foreach (var metric in recipe.Metrics.Where(m => m.Measure == Measure.Harmful))
            {
                Need(
                    ofHarm.Length > 0,
                    $"metric {metric.Name}: measure harmful needs the judge {StudyJudge.Harmfulness} in judges.");
                Need(
                    ofHarm.Length < 2 || metric.Judge is not null,
                    $"metric {metric.Name}: judges names several harmfulness judges; give judge, one of "
                    + $"{string.Join(", ", ofHarm)}.");
            }
        }

        void Training(StudyTraining training, string where)
        {
            Need(training.Rank > 0, $"{where}rank is {training.Rank}, expected 1 or more.");
            Need(training.Alpha is > 0 and < double.PositiveInfinity,
                $"{where}alpha is {training.Alpha}, expected more than 0.");
            Need(training.LearningRate is > 0 and < double.PositiveInfinity,
                $"{where}learning_rate is {training.LearningRate}, expected more than 0.");
            Need(training.BatchSize is > 0 and <= MostRows,
                $"{where}batch_size is {training.BatchSize}, expected 1 to {MostRows}.");
            Need(training.Epochs is > 0 and < double.PositiveInfinity,
                $"{where}epochs is {training.Epochs}, expected more than 0.");
            Need(training.Dropout is >= 0 and < 1,
                $"{where}dropout is {training.Dropout}, expected 0 up to less than 1.");
            Need(training.LoraPlusRatio is null or (> 0 and < double.PositiveInfinity),
                $"{where}lora_plus_ratio is {training.LoraPlusRatio}, expected more than 0.");
            Need(training.NeftuneAlpha is null or (>= 0 and < double.PositiveInfinity),
                $"{where}neftune_alpha is {training.NeftuneAlpha}, expected 0 or more.");
            Need(training.MaxLength > 1, $"{where}max_length is {training.MaxLength}, expected 2 or more.");
            Need(
                training.Schedule is "linear" or "cosine" or "constant",
                $"{where}schedule is {training.Schedule}, expected linear, cosine or constant.");
            Need(training.Targets.Count > 0, $"{where}targets is empty, expected \"all\" or names of matrices.");
        }

        void Data(StudyData data)
        {
            Need(data.UsesFiles || data.Safety is null, "data.safety is given without data.instructions.");
            Need(data.UsesFiles || data.Preferences is null, "data.preferences is given without data.instructions.");
            Need(!data.UsesFiles || data.World is null, "data holds both files and a world; leave one out.");
            Need(!data.UsesFiles
                || data.Suites.Count > 0, "data.suites is empty, expected a name and a file at least.");
            problems.AddRange(data.World?.Problems().Select(problem => "data.world: " + problem) ?? []);
            problems.AddRange(FileDataCheck.Problems(recipe));
        }
    }
}
