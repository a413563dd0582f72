using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>A base under two names would count twice as evidence.</summary>
internal static class DistinctBases
{
    /// <summary>Refuses models of equal weights. Files are read where sizes are equal alone.</summary>
    /// <exception cref="SafeLlamaException">Two models are one base; both are named.</exception>
    public static void Require(StudyRecipe recipe, IStudyEngine engine)
    {
        string WeightsOf(string model) => string.Join('\n', engine.Describe(model)
            .Where(fact => fact.Key is not ("config" or "tokenizer"))
            .OrderBy(fact => fact.Key, StringComparer.Ordinal));
        var same = recipe.Models.GroupBy(engine.WeightCount).Where(models => models.Count() > 1)
            .SelectMany(models => models.GroupBy(WeightsOf))
            .FirstOrDefault(models => models.Key.Length > 0 && models.Count() > 1);
        if (same is not null)
        {
            throw SafeLlamaException.Usage(
                $"models: {string.Join(" and ", same)} are one base, with equal weights, and a base counted twice is "
                + "no second one.", "name each base once");
        }
    }
}
