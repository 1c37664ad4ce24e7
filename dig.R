
suppressMessages({library(lme4);library(lmerTest);library(nlme)})
options(width=80)
orth<-nlme::Orthodont; exam<-mlmRev::Exam; cake<-lme4::cake; pastes<-lme4::Pastes; gt<-lme4::grouseticks; cbpp<-lme4::cbpp
m<-list(
 slopes=lmerTest::lmer(distance~age*Sex+(age|Subject),data=orth),
 nested=lmerTest::lmer(strength~1+(1|batch/cask),data=pastes),
 cakeml=lmerTest::lmer(angle~recipe+temp+(1|recipe:replicate),data=cake,REML=FALSE),
 gl=lme4::glmer(cbind(incidence,size-incidence)~period+(1|herd),data=cbpp,family=binomial),
 po=lme4::glmer(TICKS~YEAR+(1|BROOD),data=gt,family=poisson),
 lm=lm(distance~age*Sex,data=orth),
 glm=glm(cbind(incidence,size-incidence)~period,data=cbpp,family=binomial),
 lme=nlme::lme(distance~age*Sex,data=orth,random=~age|Subject),
 gls=nlme::gls(distance~age*Sex,data=orth,correlation=nlme::corCompSymm(form=~1|Subject)))
for (d in 2:8) for (n in names(m)) {
 cat("@@S",d,n,"\n"); print(summary(m[[n]]),digits=d)
 options(digits=d)
 cat("@@O",d,n,"\n"); print(summary(m[[n]]))
 cat("@@A",d,n,"\n"); print(anova(m[[n]]))
 cat("@@P",d,n,"\n"); print(m[[n]])
 options(digits=7)
}
