using MathNet.Numerics;

namespace SafeLlama.Evaluation;

/// <summary>Tests two runs with a yes or no for each of the same prompts: do the changes go in one direction?</summary>
/// <remarks>
/// Only prompts on which the runs differ count; under the null hypothesis each goes either way with probability ½.
/// McNemar 1947, Psychometrika 12; the exact binomial form.
/// </remarks>
public static class McNemar
{
    /// <summary>The exact two-sided p-value.</summary>
    /// <param name="onlyFirst">Prompts on which the first run alone says yes.</param>
    /// <param name="onlySecond">Prompts on which the second run alone says yes.</param>
    public static double Exact(int onlyFirst, int onlySecond)
    {
        var n = onlyFirst + onlySecond;
        var tail = 0.0;
        for (var k = 0; k <= Math.Min(onlyFirst, onlySecond); k++)
        {
            tail += Math.Exp(LogChoose(n, k) - n * Math.Log(2));
        }

        return Math.Min(1, 2 * tail);
    }

    private static double LogChoose(int n, int k) =>
        SpecialFunctions.GammaLn(n + 1) - SpecialFunctions.GammaLn(k + 1) - SpecialFunctions.GammaLn(n - k + 1);
}
